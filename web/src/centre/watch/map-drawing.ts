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
import { bounds, type Position, wedge } from "./wedges";

export type SiteState = "live" | "lost" | "unknown";

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

const REACH_M = 60;
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
  private labels: HTMLElement[] = [];
  private sites: readonly DrawnSite[] = [];
  private units: readonly DrawnUnit[] = [];
  private ready = false;
  private framed = false;

  /** Throws when the browser draws no such maps. */
  constructor(
    container: HTMLElement,
    tiles: string,
    private readonly chosen: (key: string) => void,
  ) {
    setWorkerUrl(new URL(workerUrl, location.href).href);
    this.map = new GlMap({
      container,
      style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#10171c" } }] },
      center: [106, 21],
      zoom: 6,
      maxZoom: 20,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new ScaleControl({ unit: "metric" }), "top-left");
    this.map.on("load", () => void this.begin(tiles));
    this.map.on("move", () => this.placeLabels());
    this.map.on("click", "sites", (event) => {
      const key: unknown = event.features?.[0]?.properties.key;
      if (typeof key === "string") this.chosen(key);
    });
    this.map.on("mouseenter", "sites", () => (this.map.getCanvas().style.cursor = "pointer"));
    this.map.on("mouseleave", "sites", () => (this.map.getCanvas().style.cursor = ""));
  }

  show(sites: readonly DrawnSite[], units: readonly DrawnUnit[]): void {
    this.sites = sites;
    this.units = units;
    if (this.ready) this.draw();
  }

  /** Brings a site into the middle. */
  reveal(key: string): void {
    const site = this.sites.find((one) => one.key === key);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (site) this.map.easeTo({ center: site.at, zoom: Math.max(16, this.map.getZoom()), duration: still ? 0 : 300 });
  }

  resize(): void {
    this.map.resize();
  }

  remove(): void {
    this.map.remove();
  }

  private async begin(tiles: string): Promise<void> {
    if (tiles) await this.lay(new URL(tiles, location.href).href);
    for (const name of ["wedges", "units", "sites"]) {
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
    this.frame();
    this.label();
  }

  private put(name: string, features: Feature[]): void {
    void this.map.getSource<GeoJSONSource>(name)?.setData({ type: "FeatureCollection", features });
  }

  /** Once: all of it in sight. */
  private frame(): void {
    const all = bounds(this.sites.length ? this.sites.map((site) => site.at) : this.units.map((unit) => unit.at));
    if (this.framed || !all) return;
    this.framed = true;
    this.map.fitBounds(all, { padding: 72, maxZoom: 16, duration: 0 });
  }

  private label(): void {
    const wanted = this.sites.length <= MOST_LABELS ? this.sites : [];
    for (const old of this.labels) old.remove();
    this.labels = wanted.map((site) => {
      const label = document.createElement("span");
      label.className = "site-name";
      label.textContent = site.name;
      label.setAttribute("aria-hidden", "true");
      this.map.getContainer().append(label);
      return label;
    });
    this.placeLabels();
  }

  /** Names are hidden where they would lie on another. */
  private placeLabels(): void {
    const taken: { x: number; y: number; width: number }[] = [];
    this.labels.forEach((label, i) => {
      const site = this.sites[i];
      if (!site) return;
      const { x, y } = this.map.project(site.at);
      const width = label.textContent.length * 7;
      const free = taken.every((other) => Math.abs(other.y - y) > 22 || Math.abs(other.x - x) > (other.width + width) / 2);
      if (free) taken.push({ x, y, width });
      label.hidden = !free;
      label.style.transform = `translate(${x}px, ${y + 12}px) translateX(-50%)`;
    });
  }
}

function point(at: Position, properties: Record<string, string>): Feature {
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
