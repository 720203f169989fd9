/** The map and, beside it, the same as a list: for the keyboard, for readers of screens, and to search in. */

import { html, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import type { House } from "../../house";
import { asProblem, type Problem } from "../../net/problem";
import type { Camera } from "../../net/types";
import "../../parts/picture";
import { cameraAddress } from "../../route";
import { problemText, t } from "../../words";
import type { Drawing, DrawnSite } from "./map-drawing";
import { type Box, camerasText, type FoundPlaces, type Place, type PlacedCamera, type Places, placesCalled, placesIn, type SiteState, sitesText, type UnitPlaced, type View } from "./places";
import { StreetElement } from "./street-element";

const SETTLE_MS = 200;
/** What the centre has heard of the cameras is asked for again so often. */
const AGAIN_MS = 20_000;
/** Cameras of which the browser hears by itself, from their nodes. */
const MOST_HEARD = 250;
const GONE: readonly string[] = ["lost", "not_recording"];

@customElement("xy-map-page")
export class MapPageElement extends StreetElement {
  @state() private places: Places | null = null;
  @state() private found: FoundPlaces | null = null;
  @state() private problem: Problem | null = null;
  @state() private chosen: Place | null = null;
  @state() private undrawn = false;
  @query(".map-ground") private ground!: HTMLElement;
  private drawing: Drawing | null = null;
  /** The part that is looked at; null: everything. */
  private view: View | null = null;
  private whole: Box | null = null;
  private wanted = "";
  private heard = "";
  private asked = 0;
  private timer = 0;
  private again = 0;

  /** The styles of the map are those of the page. */
  protected override createRenderRoot(): this {
    return this;
  }

  override firstUpdated(): void {
    void this.load();
  }

  override render() {
    return html`<section class="map-list" aria-label=${t("map.list")}>
        <input
          type="search"
          class="form-control"
          aria-label=${t("tree.search")}
          placeholder=${t("tree.search")}
          autocomplete="off"
          spellcheck="false"
          @input=${this.onInput}
        />
        ${this.list()}
      </section>
      <section class="map-side">
        <div class="map-ground" role="application" aria-label=${t("map.title")} ?hidden=${this.undrawn}></div>
        ${this.undrawn ? html`<p class="map-none" role="status">${t("map.undrawn")}</p>` : nothing}
        ${this.card()}
      </section>`;
  }

  private list() {
    const { places, found } = this;
    if (this.problem && !places) return html`<p role="alert">${problemText(this.problem)}</p>`;
    if (!places) return html`<p class="map-note" role="status">${t("wall.loading")}</p>`;
    if (!this.whole) return html`<div class="map-empty"><h2>${t("map.empty")}</h2><p>${t("map.emptyHow")}</p></div>`;
    if (found) {
      if (!found.sites.length) return html`<p class="map-note" role="status">${t("tree.nothing")}</p>`;
      return html`${this.siteLines(found.sites)} ${found.more ? html`<p class="map-note">${t("tree.more")}</p>` : nothing}`;
    }
    const back = this.isPart ? html`<button class="btn" @click=${this.showAll}>${t("map.all")}</button>` : nothing;
    if (places.sites && !places.sites.length) return html`<p class="map-note" role="status">${t("map.nothingHere")}</p>${back}`;
    if (places.sites) return html`${back}${this.siteLines(places.sites)}`;
    return html`${back}
      <p class="map-note">${t("map.near")}</p>
      <ul>
        ${places.units.map((unit) => html`<li>${this.unitLine(unit)}</li>`)}
      </ul>
      ${places.more ? html`<p class="map-note">${t("tree.more")}</p>` : nothing}`;
  }

  /** Whether there is something beyond what is in sight. */
  private get isPart(): boolean {
    const { view, whole } = this;
    if (!view || !whole) return false;
    const [west, south, east, north] = view.box;
    return west > whole[0] || south > whole[1] || east < whole[2] || north < whole[3];
  }

  private siteLines(sites: readonly Place[]) {
    return html`<ul>
      ${sites.map(
        (site) =>
          html`<li>
            <button
              class="site ${this.stateOfSite(site)}"
              aria-pressed=${this.chosen?.id === site.id}
              @click=${() => this.choose(site)}
            >
              <i class="dot" aria-hidden="true"></i>
              <span>${site.code} ${site.name}<small>${site.unit} · ${this.words(site)}</small></span>
            </button>
          </li>`,
      )}
    </ul>`;
  }

  private unitLine(unit: UnitPlaced) {
    const { box, lost = 0 } = unit;
    const told = [sitesText(unit.sites ?? 0), camerasText(unit.cameras ?? 0)];
    if (lost) told.push(t("map.lost", { n: lost }));
    return html`<button class="site ${lost ? "lost" : "live"}" @click=${() => box && this.open(box)}>
      <i class="dot" aria-hidden="true"></i>
      <span>${unit.name}<small>${told.join(" · ")}</small></span>
    </button>`;
  }

  private words(site: Place): string {
    const lost = site.cameras.filter((camera) => this.stateOf(camera) === "lost").length;
    const all = camerasText(site.cameras.length);
    return lost ? `${all}, ${t("map.lost", { n: lost })}` : all;
  }

  /** As its node says; else as the centre heard last. */
  private stateOf(camera: PlacedCamera): SiteState {
    const main = this.street.camera(camera.id)?.streams.main.state;
    if (main === undefined) return camera.state;
    return GONE.includes(main) ? "lost" : main === "recording" ? "live" : "unknown";
  }

  private stateOfSite(site: Place): SiteState {
    const states = site.cameras.map((camera) => this.stateOf(camera));
    if (states.includes("lost")) return "lost";
    return states.includes("live") ? "live" : "unknown";
  }

  /** The chosen site: its cameras, and the first one's picture. */
  private card() {
    const site = this.chosen;
    if (!site) return nothing;
    const shown = site.cameras.find((camera) => this.street.camera(camera.id));
    const camera = shown ? this.street.camera(shown.id) : null;
    const house = shown ? this.street.of(shown.id) : null;
    return html`<section class="map-card" aria-label=${site.name}>
      <header>
        <h2>${site.name}<small>${site.unit}</small></h2>
        <button class="btn-close" aria-label=${t("nav.close")} @click=${this.close}></button>
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

  private choose(site: Place): void {
    this.chosen = site;
    this.drawing?.reveal(site.at);
    this.listen();
  }

  private readonly close = (): void => {
    this.chosen = null;
    this.listen();
  };

  private open(box: Box): void {
    if (this.drawing) this.drawing.frame(box);
    else this.look({ box, zoom: null });
  }

  private readonly showAll = (): void => {
    if (this.drawing && this.whole) this.drawing.frame(this.whole);
    this.look(null);
  };

  private readonly onInput = (event: Event): void => {
    this.wanted = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.search(), SETTLE_MS);
  };

  private async search(): Promise<void> {
    const { wanted } = this;
    try {
      const found = wanted ? await placesCalled(this.start.map, wanted) : null;
      if (wanted === this.wanted) this.found = found;
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  }

  private look(view: View | null): void {
    this.view = view;
    clearTimeout(this.again);
    this.again = setTimeout(() => void this.load(), view ? SETTLE_MS : 0);
  }

  private async load(): Promise<void> {
    clearTimeout(this.again);
    this.asked += 1;
    const { asked, view } = this;
    try {
      const places = await placesIn(this.start.map, view);
      if (asked !== this.asked) return;
      this.places = places;
      this.problem = null;
      if (!view) this.whole = places.box;
      if (!this.drawing && !this.undrawn && this.whole) await this.begin(this.whole);
      this.listen();
    } catch (reason) {
      this.problem = asProblem(reason);
    }
    if (asked === this.asked) this.again = setTimeout(() => void this.load(), AGAIN_MS);
  }

  /** Tickets for what is in sight, so that its nodes tell at once what happens there. */
  private listen(): void {
    if (!this.start.tickets) return;
    const sites = [...(this.chosen ? [this.chosen] : []), ...(this.places?.sites ?? [])];
    const ids = sites.flatMap((site) => site.cameras.filter((camera) => camera.watched).map((camera) => camera.id));
    const cameras = [...new Set(ids)].slice(0, MOST_HEARD);
    const heard = [...cameras].sort().join();
    if (heard === this.heard) return;
    this.heard = heard;
    void this.keeper.want("wall", cameras.length ? { use: "live", cameras } : null);
  }

  /** The drawing is large: it comes after the list. */
  private async begin(whole: Box): Promise<void> {
    try {
      const { Drawing } = await import("./map-drawing");
      this.drawing = new Drawing(this.ground, this.start.tiles, whole, {
        chosen: (id) => this.onChosen(id),
        // Where everything is told one by one there is nothing more to ask for.
        moved: (view) => {
          if (this.view !== null || this.places?.sites === null) this.look(view);
        },
      });
      this.requestUpdate();
    } catch {
      this.undrawn = true; // no WebGL: the list does
    }
  }

  private onChosen(id: string): void {
    const site = this.places?.sites?.find((one) => one.id === id);
    if (!site) return;
    this.chosen = site;
    this.listen();
  }

  private told = "";
  override updated(): void {
    const { places, drawing } = this;
    if (!places || !drawing) return;
    const sites = (places.sites ?? []).map((site): DrawnSite => ({
      key: site.id,
      name: site.name,
      at: site.at,
      state: this.stateOfSite(site),
      cameras: site.cameras.map((camera) => ({ azimuth: camera.azimuth, view: camera.view, state: this.stateOf(camera) })),
    }));
    const units = places.units.flatMap(({ name, at }) => (at ? [{ name, at }] : []));
    const now = JSON.stringify([sites, units, places.bunches]);
    if (now === this.told) return;
    this.told = now;
    drawing.show(sites, units, places.bunches);
  }
}
