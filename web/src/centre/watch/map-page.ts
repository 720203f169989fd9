/** The map and, beside it, the same as a list: for the keyboard, for readers of screens, and to search in. */

import { html, LitElement, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import type { House } from "../../house";
import { asProblem, type Problem } from "../../net/problem";
import type { Camera } from "../../net/types";
import "../../parts/picture";
import { cameraAddress } from "../../route";
import { Street } from "../../street";
import { LanguageController, problemText, t } from "../../words";
import { fold } from "./folding";
import { Keeper } from "./keeper";
import type { Drawing, DrawnSite, SiteState } from "./map-drawing";
import { askCentre, readStart } from "./office";
import type { Position } from "./wedges";

interface Place {
  name: string;
  code: string;
  unit: string;
  at: Position;
  cameras: { id: string; code: string; name: string; azimuth: number | null; view: number | null; watched: boolean }[];
}

interface Places {
  sites: Place[];
  units: { name: string; at: Position }[];
}

const GONE: readonly string[] = ["lost", "not_recording"];

function stateOf(camera: Camera | null): SiteState {
  if (!camera) return "unknown";
  return GONE.includes(camera.streams.main.state) ? "lost" : camera.streams.main.state === "recording" ? "live" : "unknown";
}

@customElement("xy-map-page")
export class MapPageElement extends LitElement {
  @state() private places: Places | null = null;
  @state() private problem: Problem | null = null;
  @state() private wanted = "";
  @state() private chosen: string | null = null;
  @state() private undrawn = false;
  @query(".map-ground") private ground!: HTMLElement;
  private readonly start = readStart();
  private readonly street = new Street(this.start.viewer);
  private readonly keeper = new Keeper(this.start, this.street);
  private drawing: Drawing | null = null;

  constructor() {
    super();
    new LanguageController(this);
    this.street.addEventListener("cameras", () => this.requestUpdate());
  }

  /** The styles of the map are those of the page. */
  protected override createRenderRoot(): this {
    return this;
  }

  override firstUpdated(): void {
    if (this.start.tickets) void this.keeper.want("wall", { use: "live" });
    void this.load();
  }

  override render() {
    return html`<section class="map-list" aria-label=${t("map.list")}>
        <input
          type="search"
          class="form-control"
          aria-label=${t("tree.search")}
          placeholder=${t("tree.search")}
          @input=${(event: Event) => (this.wanted = fold((event.target as HTMLInputElement).value))}
        />
        ${this.list()}
      </section>
      <section class="map-side">
        <div class="map-ground" role="application" aria-label=${t("map.title")} ?hidden=${this.undrawn}></div>
        ${this.undrawn ? html`<p class="map-none" role="status">${t("map.undrawn")}</p>` : nothing}
        ${this.card()}
      </section>`;
  }

  private get found(): Place[] {
    const all = this.places?.sites ?? [];
    if (!this.wanted) return all;
    const text = (site: Place): string =>
      fold([site.code, site.name, site.unit, ...site.cameras.flatMap((camera) => [camera.code, camera.name])].join(" "));
    return all.filter((site) => text(site).includes(this.wanted));
  }

  private list() {
    if (this.problem) return html`<p role="alert">${problemText(this.problem)}</p>`;
    if (!this.places) return html`<p class="text-secondary" role="status">${t("wall.loading")}</p>`;
    if (!this.places.sites.length) return html`<div class="map-empty"><h2>${t("map.empty")}</h2><p>${t("map.emptyHow")}</p></div>`;
    const { found } = this;
    if (!found.length) return html`<p role="status">${t("tree.nothing")}</p>`;
    return html`<ul>
      ${found.map(
        (site) =>
          html`<li>
            <button
              class="site ${this.stateOfSite(site)}"
              aria-pressed=${this.chosen === site.code + site.unit}
              @click=${() => this.choose(site.code + site.unit)}
            >
              <i class="dot" aria-hidden="true"></i>
              <span>${site.code} ${site.name}<small>${site.unit} · ${this.words(site)}</small></span>
            </button>
          </li>`,
      )}
    </ul>`;
  }

  private words(site: Place): string {
    const lost = site.cameras.filter((camera) => stateOf(this.street.camera(camera.id)) === "lost").length;
    const all = t("map.cameras", { n: site.cameras.length });
    return lost ? `${all}, ${t("map.lost", { n: lost })}` : all;
  }

  private stateOfSite(site: Place): SiteState {
    const states = site.cameras.map((camera) => stateOf(this.street.camera(camera.id)));
    if (states.includes("lost")) return "lost";
    return states.includes("live") ? "live" : "unknown";
  }

  /** The chosen site: its cameras, and the first one's picture. */
  private card() {
    const site = this.places?.sites.find((one) => one.code + one.unit === this.chosen);
    if (!site) return nothing;
    const shown = site.cameras.find((camera) => this.street.camera(camera.id));
    const camera = shown ? this.street.camera(shown.id) : null;
    const house = shown ? this.street.of(shown.id) : null;
    return html`<section class="map-card" aria-label=${site.name}>
      <header>
        <h2>${site.name}</h2>
        <button class="btn-close" aria-label=${t("nav.close")} @click=${() => (this.chosen = null)}></button>
      </header>
      ${camera && house ? this.picture(camera, house) : nothing}
      <ul>
        ${site.cameras.map(
          (one) =>
            html`<li>
              <span>${one.code} ${one.name}</span>
              ${one.watched ? html`<a class="btn btn-sm" href=${cameraAddress(one.id, null)}>${t("map.watch")}</a>` : nothing}
            </li>`,
        )}
      </ul>
    </section>`;
  }

  private picture(camera: Camera, house: House) {
    return html`<a class="map-picture" href=${cameraAddress(camera.id, null)} title=${t("wall.open", { name: camera.name })}
      ><xy-picture .house=${house} .camera=${camera} .stream=${camera.streams.sub ? "sub" : "main"}></xy-picture
    ></a>`;
  }

  private choose(key: string): void {
    this.chosen = key;
    this.drawing?.reveal(key);
  }

  private async load(): Promise<void> {
    try {
      this.places = await askCentre<Places>(this.start.map);
      if (this.places.sites.length || this.places.units.length) await this.begin();
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  }

  /** The drawing is large: it comes after the list. */
  private async begin(): Promise<void> {
    try {
      const { Drawing } = await import("./map-drawing");
      this.drawing = new Drawing(this.ground, this.start.tiles, (key) => (this.chosen = key));
      this.requestUpdate();
    } catch {
      this.undrawn = true; // no WebGL: the list does
    }
  }

  private told = "";
  override updated(): void {
    const { places, drawing } = this;
    if (!places || !drawing) return;
    const sites = places.sites.map((site): DrawnSite => ({
      key: site.code + site.unit,
      name: site.name,
      at: site.at,
      state: this.stateOfSite(site),
      cameras: site.cameras.map(({ id, azimuth, view }) => ({ azimuth, view, state: stateOf(this.street.camera(id)) })),
    }));
    const now = JSON.stringify(sites);
    if (now === this.told) return;
    this.told = now;
    drawing.show(sites, places.units);
  }
}
