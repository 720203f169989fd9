/** The drawing of the map: the operator's own tiles or plain ground, units, sites and what their cameras see. */

import {
  addProtocol,
  AttributionControl,
  type ExpressionSpecification,
  type GeoJSONSource,
  type LayerSpecification,
  Map as GlMap,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Feature } from "geojson";
import { PMTiles, Protocol, TileType } from "pmtiles";
import { type Label, Labels } from "./map-labels";
import type { Box, Bunch, SiteState, View } from "./places";
import { type Position, wedge } from "./wedges";

export interface DrawnSite {
  key: string;
  name: string;
  at: Position;
  state: SiteState;
  cameras: { azimuth: number | null; view: number | null; state: SiteState }[];
}

export interface DrawnUnit {
  name: string;
  at: Position;
}

/** What the drawing tells of. */
interface Told {
  chosen(key: string): void;
  /** Somebody clicked anywhere. */
  picked?(at: Position): void;
  moved(view: View): void;
}

const REACH_M = 60;
const NEAREST_FRAMED = 16;
const FRAMED = { padding: 72, maxZoom: NEAREST_FRAMED };
const MOST_LABELS = 120;
const COLOURS: ExpressionSpecification = ["match", ["get", "state"], "live", "#2bb3a3", "lost", "#e5484d", "#8b98a5"];
/** Layers of the two schemas that people make maps of Viet Nam with (Protomaps, OpenMapTiles), in calm colours. */
const GROUND: Record<string, { type: "fill" | "line"; colour: string; width?: number }> = {
  earth: { type: "fill", colour: "#141b21" },
  landcover: { type: "fill", colour: "#152019" },
  landuse: { type: "fill", colour: "#171f24" },
  water: { type: "fill", colour: "#0d2430" },
  waterway: { type: "line", colour: "#0d2430", width: 1.5 },
  boundaries: { type: "line", colour: "#3a4753", width: 1 },
  boundary: { type: "line", colour: "#3a4753", width: 1 },
  roads: { type: "line", colour: "#33404b", width: 1.6 },
  transportation: { type: "line", colour: "#33404b", width: 1.6 },
  buildings: { type: "fill", colour: "#1b242b" },
  building: { type: "fill", colour: "#1b242b" },
};

export class Drawing {
  private readonly map: GlMap;
  private readonly labels: Labels;
  private sites: readonly DrawnSite[] = [];
  private units: readonly DrawnUnit[] = [];
  private bunches: readonly Bunch[] = [];
  private ready = false;

  /** Throws when the browser draws no such maps. */
  constructor(
    container: HTMLElement,
    tiles: string,
    whole: Box,
    private readonly told: Told,
  ) {
    setWorkerUrl(new URL(workerUrl, location.href).href);
    this.map = new GlMap({
      container,
      style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#10171c" } }] },
      bounds: whole,
      fitBoundsOptions: FRAMED,
      maxZoom: 20,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new ScaleControl({ unit: "metric" }), "top-left");
    this.labels = new Labels(container, (at) => this.map.project(at));
    this.map.on("load", () => void this.begin(tiles));
    this.map.on("move", () => this.labels.place());
    this.map.on("moveend", () => this.told.moved(this.view));
    this.map.on("click", ({ lngLat }) => this.told.picked?.([lngLat.lng, lngLat.lat]));
    this.map.on("click", "sites", (event) => {
      const key: unknown = event.features?.[0]?.properties.key;
      if (typeof key === "string") this.told.chosen(key);
    });
    this.map.on("click", "bunches", (event) => {
      const bunch = this.bunches[Number(event.features?.[0]?.properties.index)];
      if (bunch) this.frame(bunch.box);
    });
    for (const layer of ["sites", "bunches"]) {
      this.map.on("mouseenter", layer, () => (this.map.getCanvas().style.cursor = "pointer"));
      this.map.on("mouseleave", layer, () => (this.map.getCanvas().style.cursor = ""));
    }
  }

  private get view(): View {
    const seen = this.map.getBounds();
    return { box: [seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()], zoom: this.map.getZoom() };
  }

  show(sites: readonly DrawnSite[], units: readonly DrawnUnit[], bunches: readonly Bunch[]): void {
    this.sites = sites;
    this.units = units;
    this.bunches = bunches;
    if (this.ready) this.draw();
  }

  /** Brings a place into the middle. */
  reveal(at: Position): void {
    this.map.easeTo({ center: at, zoom: Math.max(NEAREST_FRAMED, this.map.getZoom()), duration: motionMs() });
  }

  /** All of a part in sight. */
  frame(box: Box): void {
    this.map.fitBounds(box, { ...FRAMED, duration: motionMs() });
  }

  resize(): void {
    this.map.resize();
  }

  remove(): void {
    this.map.remove();
  }

  private async begin(tiles: string): Promise<void> {
    if (tiles) await this.lay(new URL(tiles, location.href).href);
    for (const name of ["wedges", "units", "bunches", "sites"]) {
      this.map.addSource(name, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    }
    this.map.addLayer({
      id: "wedges",
      type: "fill",
      source: "wedges",
      paint: { "fill-color": COLOURS, "fill-opacity": 0.28, "fill-outline-color": "#e6edf3" },
    });
    this.map.addLayer({
      id: "units",
      type: "circle",
      source: "units",
      paint: { "circle-radius": 4, "circle-color": "#10171c", "circle-stroke-width": 2, "circle-stroke-color": "#6b7884" },
    });
    this.map.addLayer({
      id: "bunches",
      type: "circle",
      source: "bunches",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["get", "cameras"], 1, 15, 100, 24, 1000, 34],
        "circle-color": "#17312f",
        "circle-stroke-width": ["case", [">", ["get", "lost"], 0], 3, 2],
        "circle-stroke-color": ["case", [">", ["get", "lost"], 0], "#e5484d", "#2bb3a3"],
      },
    });
    this.map.addLayer({
      id: "sites",
      type: "circle",
      source: "sites",
      paint: {
        // What needs a hand is larger too: not told by its colour alone.
        "circle-radius": ["match", ["get", "state"], "lost", 11, 8],
        "circle-color": COLOURS,
        "circle-stroke-width": 2,
        "circle-stroke-color": "#0f1418",
      },
    });
    this.ready = true;
    this.draw();
    this.told.moved(this.view);
  }

  /** The operator's map; without it the ground stays plain. */
  private async lay(address: string): Promise<void> {
    const archive = new PMTiles(address);
    const protocol = new Protocol();
    protocol.add(archive);
    addProtocol("pmtiles", protocol.tile);
    try {
      const [header, about] = await Promise.all([archive.getHeader(), archive.getMetadata()]);
      const vector = header.tileType === TileType.Mvt;
      this.map.addSource("tiles", { type: vector ? "vector" : "raster", url: `pmtiles://${address}` });
      const credit = (about as { attribution?: string } | undefined)?.attribution;
      if (credit) this.map.addControl(new AttributionControl({ compact: true }));
      if (!vector) this.map.addLayer({ id: "tiles", type: "raster", source: "tiles", paint: { "raster-saturation": -0.6 } });
      else for (const layer of layersOf(about)) this.map.addLayer(layer);
    } catch (reason) {
      console.warn("the map file cannot be read", reason);
    }
  }

  private draw(): void {
    this.put("units", this.units.map((unit) => point(unit.at, { name: unit.name })));
    this.put("sites", this.sites.map((site) => point(site.at, { key: site.key, state: site.state })));
    this.put(
      "wedges",
      this.sites.flatMap((site) =>
        site.cameras.flatMap((camera) => (camera.azimuth === null ? [] : [sector(site.at, camera.azimuth, camera.view, camera.state)])),
      ),
    );
    this.put(
      "bunches",
      this.bunches.map((bunch, index) => point(bunch.at, { index, cameras: bunch.cameras, lost: bunch.lost })),
    );
    this.labels.show(this.labelled(), [...this.sites, ...this.units].map(({ at }) => at));
  }

  private labelled(): Label[] {
    if (this.bunches.length) {
      return this.bunches.map(({ at, cameras, lost }) => ({ at, text: String(cameras), lost, kind: "bunch" }));
    }
    const sites = this.sites.length <= MOST_LABELS ? this.sites : [];
    // Where there is no room for all names, what needs a hand has its own.
    const first = [...sites].sort((one, other) => Number(other.state === "lost") - Number(one.state === "lost"));
    return [
      ...first.map(({ at, name }): Label => ({ at, text: name, lost: 0, kind: "site" })),
      ...this.units.map(({ at, name }): Label => ({ at, text: name, lost: 0, kind: "unit" })),
    ];
  }

  private put(name: string, features: Feature[]): void {
    void this.map.getSource<GeoJSONSource>(name)?.setData({ type: "FeatureCollection", features });
  }
}

function motionMs(): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 300;
}

function point(at: Position, properties: Record<string, string | number>): Feature {
  return { type: "Feature", geometry: { type: "Point", coordinates: at }, properties };
}

function sector(at: Position, azimuth: number, view: number | null, state: SiteState): Feature {
  return { type: "Feature", geometry: { type: "Polygon", coordinates: [wedge(at, azimuth, view, REACH_M)] }, properties: { state } };
}

function layersOf(about: unknown): LayerSpecification[] {
  const listed = (about as { vector_layers?: { id: string }[] } | undefined)?.vector_layers ?? [];
  const there = new Set(listed.map((layer) => layer.id));
  return Object.entries(GROUND)
    .filter(([name]) => there.has(name))
    .map(([name, look]): LayerSpecification => {
      const place = { id: `tiles-${name}`, source: "tiles", "source-layer": name };
      return look.type === "fill"
        ? { ...place, type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": look.colour } }
        : { ...place, type: "line", paint: { "line-color": look.colour, "line-width": look.width ?? 1 } };
    });
}
