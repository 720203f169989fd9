/** The live wall. */

import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import emblem from "../favicon.svg";
import type { Watched } from "../house";
import {
  type Arrangement,
  arranged,
  columnsOf,
  type Layout,
  layoutFor,
  LAYOUTS,
  MAIN_UP_TO,
  moved,
  pageCount,
  swapped,
} from "../live/layout";
import type { Camera, StreamName } from "../net/types";
import "../parts/bar";
import "../parts/cards";
import { toggleFull } from "../parts/full";
import { icon } from "../parts/icons";
import { IdleController } from "../parts/idle";
import { remember, remembered } from "../parts/memory";
import "../parts/picture";
import type { PictureElement } from "../parts/picture";
import { controls, skeleton } from "../parts/styles";
import { cameraAddress, go } from "../route";
import { clockText } from "../time/format";
import { LanguageController, t } from "../words";
import { alarmsPart, connectionPart, emptyPart, inSight, layoutsPart, pagerPart, sitesPart, waitingPart } from "./wall-parts";
import { wallStyles } from "./wall.css";

const DOUBLE_MS = 280;

const isLayout = (value: unknown): value is Layout => LAYOUTS.includes(value as Layout);
const isIds = (value: unknown): value is string[] => Array.isArray(value) && value.every((id) => typeof id === "string");

const PHONE = "(max-width: 640px), (max-height: 480px)"; // upright, or on its side
@customElement("xy-wall")
export class WallElement extends LitElement {
  static override styles = [controls, skeleton, wallStyles];

  @property({ attribute: false }) house!: Watched;
  /** Chosen for this wall, for as long as it is shown; null: what this browser's user has chosen. */
  @property({ attribute: false }) arrangement: Arrangement | null = null;
  @state() private layout: Layout | null = remembered("layout", null, isLayout);
  @state() private twoColumns = remembered("columns", false, (v): v is boolean => typeof v === "boolean");
  @state() private order = remembered<string[]>("order", [], isIds);
  @state() private site = "";
  @state() private pageIndex = 0;
  @state() private big: string | null = null;
  @state() private dropOn: string | null = null;
  @state() private phone = matchMedia(PHONE).matches;
  @query(".clock") private clock?: HTMLTimeElement;
  private dragged: string | null = null;
  private readonly rest = new IdleController(this);
  private clickTimer = 0;
  private tick = 0;
  private readonly media = matchMedia(PHONE);

  constructor() {
    super();
    new LanguageController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.house.addEventListener("cameras", this.redraw);
    globalThis.addEventListener("keydown", this.onKey);
    this.media.addEventListener("change", this.onMedia);
    this.addEventListener("picture-state", this.redraw);
    this.tick = setInterval(() => this.onSecond(), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.house.removeEventListener("cameras", this.redraw);
    globalThis.removeEventListener("keydown", this.onKey);
    this.media.removeEventListener("change", this.onMedia);
    this.removeEventListener("picture-state", this.redraw);
    clearInterval(this.tick);
    clearTimeout(this.clickTimer);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("arrangement") || (this.arrangement === null && !changed.get("arrangement"))) return;
    this.layout = this.arrangement?.size ?? remembered("layout", null, isLayout);
    this.order = [...(this.arrangement?.cells ?? remembered<string[]>("order", [], isIds))];
    this.site = "";
    this.pageIndex = 0;
    this.big = null;
  }

  /** As it stands now. */
  get arranged(): Arrangement {
    return { size: this.shownLayout, cells: this.cameras.map((camera) => camera.id) };
  }

  /** Shows one camera large. */
  enlarge(id: string): void {
    if (this.phone) this.open(id);
    else this.big = id;
  }

  private get cameras(): Camera[] {
    const all = arranged(this.house.cameras ?? [], this.order);
    return this.site ? all.filter((camera) => camera.site === this.site) : all;
  }

  private get shownLayout(): Layout {
    return this.layout ?? layoutFor(this.cameras.length);
  }

  private get onPage(): Camera[] {
    const { shownLayout: layout } = this;
    const page = Math.min(this.pageIndex, pageCount(this.cameras.length, layout) - 1);
    return this.cameras.slice(page * layout, (page + 1) * layout);
  }

  override render() {
    const { house } = this;
    return html`<div class="page ${this.rest.idle ? "idle" : ""}">
      ${this.bar()} ${this.house.cameras?.length ? connectionPart(this.house.liveDownSince, this.house.clock.now()) : nothing}
      ${alarmsPart(house.alarms, house.clock.now())}
      <main id="main" aria-label=${t("wall.title")}>
        ${house.cameras === null
          ? waitingPart(this.layout ?? 4, house.problem)
          : house.cameras.length === 0
            ? emptyPart(this.house.own)
            : this.pictures()}
      </main>
    </div>`;
  }

  private pictures() {
    if (this.phone) {
      return html`<xy-cards .house=${this.house} .cameras=${this.cameras} .two=${this.twoColumns}></xy-cards>`;
    }
    const big = this.big && this.house.camera(this.big);
    return big ? this.one(big) : this.grid();
  }

  private bar() {
    const { cameras } = this;
    const live = this.liveCount();
    return html`<xy-bar ?guest=${!this.house.own}>
        <div class="tools">
          ${this.house.own
            ? html`<a class="brand" href="/live" aria-label=${t("nav.live")} @click=${this.onHome}
                ><img src=${emblem} alt=""
              /></a>`
            : nothing}
          <h1>${t("wall.title")}</h1>
          ${this.phone ? nothing : this.wideTools(cameras)}
          <span class="grow"></span>
          ${live
            ? html`<span class="count ${live.live < live.all ? "some" : ""}" role="status"
                ><span class="short" aria-hidden="true">${live.live}/${live.all}</span
                ><span class="long">${t("wall.count", live)}</span></span
              >`
            : nothing}
          <time class="clock"></time>
        </div>
        ${this.phone || !document.fullscreenEnabled || !this.house.cameras?.length
          ? nothing
          : html`<button
              slot="end"
              title=${t(this.rest.isFull ? "wall.fullLeave" : "wall.full")}
              aria-label=${t(this.rest.isFull ? "wall.fullLeave" : "wall.full")}
              @click=${this.toggleFull}
            >
              ${icon(this.rest.isFull ? "minimise" : "maximise")}
            </button>`}
      </xy-bar>
      ${this.phone && this.house.cameras?.length ? html`<div class="phone"><slot name="tools"></slot>${this.sites()}${this.columnButtons()}</div>` : nothing}`;
  }

  private wideTools(cameras: Camera[]) {
    // Nothing to lay out: no camera, or no answer.
    if (this.house.cameras ? !cameras.length : this.house.problem) return nothing;
    const pages = pageCount(cameras.length, this.shownLayout);
    return html`<slot name="tools"></slot>${this.sites()} ${layoutsPart(this.shownLayout, (n) => this.setLayout(n))}
    ${pagerPart(Math.min(this.pageIndex, pages - 1), pages, (by) => this.turn(by))}`;
  }

  private sites() {
    return sitesPart(this.house.cameras ?? [], this.site, (site) => this.setSite(site));
  }

  private columnButtons() {
    return html`<div class="layouts" role="group" aria-label=${t("wall.layout")}>
      ${[false, true].map(
        (two) =>
          html`<button aria-pressed=${this.twoColumns === two} @click=${() => this.setColumns(two)}>${two ? 2 : 1}</button>`,
      )}
    </div>`;
  }

  private grid() {
    const { shownLayout: layout } = this;
    const stream: StreamName = layout <= MAIN_UP_TO ? "main" : "sub";
    return html`<div class="grid n${layout}">
      ${repeat(
        this.onPage,
        (camera) => camera.id,
        (camera) => this.cell(camera, stream),
      )}
    </div>`;
  }

  private cell(camera: Camera, wanted: StreamName) {
    const stream = camera.streams[wanted] ? wanted : "main";
    return html`<button
      class="cell ${this.dropOn === camera.id ? "over" : ""}"
      data-camera=${camera.id}
      draggable="true"
      title=${t("wall.bigger", { name: [camera.name, camera.site].filter(Boolean).join(" – ") })}
      @click=${(event: MouseEvent) => this.onClick(event, camera.id)}
      @dragstart=${(event: DragEvent) => this.onDragStart(event, camera.id)}
      @dragover=${(event: DragEvent) => this.onDragOver(event, camera.id)}
      @dragleave=${() => (this.dropOn = null)}
      @drop=${(event: DragEvent) => this.onDrop(event, camera.id)}
      @dragend=${() => (this.dragged = this.dropOn = null)}
    >
      <xy-picture .house=${this.house.of(camera.id)} .camera=${camera} .stream=${stream}></xy-picture>
    </button>`;
  }

  private one(camera: Camera) {
    return html`<div class="big">
      <button
        class="cell"
        data-camera=${camera.id}
        title=${t("wall.grid")}
        @click=${(event: MouseEvent) => this.onBigClick(event, camera.id)}
      >
        <xy-picture .house=${this.house.of(camera.id)} .camera=${camera} .stream=${"main"}></xy-picture>
      </button>
      <div class="bigTools">
        <button @click=${() => (this.big = null)}>${icon("arrowLeft")}${t("wall.grid")}</button>
        <a class="button" href=${cameraAddress(camera.id, null)} @click=${(e: Event) => this.open(camera.id, e)}
          >${icon("clock")}${t("player.title")}</a
        >
      </div>
    </div>`;
  }

  private liveCount(): { live: number; all: number } | null {
    if (this.phone) return inSight(this.cameras);
    const shown = [...this.renderRoot.querySelectorAll<PictureElement>("xy-picture")];
    if (!shown.length) return null;
    const live = shown.filter((p) => p.pictureState.kind === "live" || p.pictureState.kind === "not_recording").length;
    return { live, all: shown.length };
  }

  private wasDown = false;
  private onSecond(): void {
    if (this.clock) this.clock.textContent = clockText(this.house.clock.now());
    const down = this.house.liveDownSince !== null;
    if (down || this.wasDown) this.requestUpdate();
    this.wasDown = down;
  }

  private readonly redraw = (): void => this.requestUpdate();
  private readonly onMedia = (): void => void (this.phone = this.media.matches);

  private readonly onHome = (event: Event): void => {
    event.preventDefault();
    this.big = null;
  };

  private setSite(site: string): void {
    this.site = site;
    this.pageIndex = 0;
  }

  private setLayout(layout: Layout): void {
    this.layout = layout;
    this.pageIndex = 0;
    this.big = null;
    if (!this.arrangement) remember("layout", layout);
  }

  private setColumns(two: boolean): void {
    this.twoColumns = two;
    remember("columns", two);
  }

  private turn(by: number): void {
    const pages = pageCount(this.cameras.length, this.shownLayout);
    this.pageIndex = Math.max(0, Math.min(pages - 1, this.pageIndex + by));
  }

  private readonly toggleFull = (): void => toggleFull(this);

  private open(id: string, event?: Event): void {
    event?.preventDefault();
    go(cameraAddress(id, null));
  }

  /** Once: enlarge. Twice: the player. */
  private onClick(event: MouseEvent, id: string): void {
    if (event.detail > 1) this.open(id);
    else {
      this.big = id;
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".big .cell")?.focus());
    }
  }

  private onBigClick(event: MouseEvent, id: string): void {
    clearTimeout(this.clickTimer);
    if (event.detail > 1) this.open(id);
    else this.clickTimer = setTimeout(() => this.shrink(), event.detail === 0 ? 0 : DOUBLE_MS);
  }

  private shrink(): void {
    const was = this.big;
    this.big = null;
    void this.updateComplete.then(() => this.cellOf(was)?.focus());
  }

  private cellOf(id: string | null): HTMLElement | null {
    return id ? this.renderRoot.querySelector<HTMLElement>(`.cell[data-camera="${id}"]`) : null;
  }

  private onDragStart(event: DragEvent, id: string): void {
    this.dragged = id;
    event.dataTransfer?.setData("text/plain", id);
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
  }

  private onDragOver(event: DragEvent, id: string): void {
    if (!this.dragged || this.dragged === id) return;
    event.preventDefault();
    this.dropOn = id;
  }

  private onDrop(event: DragEvent, id: string): void {
    event.preventDefault();
    this.dropOn = null;
    if (this.dragged) this.swap(this.dragged, id);
    this.dragged = null;
  }

  private swap(a: string, b: string): void {
    const all = arranged(this.house.cameras ?? [], this.order).map((camera) => camera.id);
    this.order = swapped(all, a, b);
    if (!this.arrangement) remember("order", this.order);
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || this.phone) return;
    const target = event.composedPath()[0];
    if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
    if (target instanceof HTMLElement && target.closest("dialog")) return;
    const layout = LAYOUTS[Number(event.key) - 1];
    if (layout && !event.altKey) this.setLayout(layout);
    else if (event.key.startsWith("Arrow")) this.onArrow(event);
    else if (event.key === "PageUp") this.turn(-1);
    else if (event.key === "PageDown") this.turn(1);
    else if (event.key === "f" || event.key === "F") this.toggleFull();
    else if (event.key === "o" || event.key === "O") this.openFocused();
    else if (event.key === "Escape" && this.big) this.shrink();
    else return;
    if (event.key !== "Escape") event.preventDefault();
  };

  private openFocused(): void {
    const focused = this.renderRoot.querySelector<HTMLElement>(".cell:focus");
    const id = this.big ?? focused?.dataset.camera;
    if (id) this.open(id);
  }

  private onArrow(event: KeyboardEvent): void {
    if (this.big) {
      this.neighbour(event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 1);
      return;
    }
    const cells = [...this.renderRoot.querySelectorAll<HTMLElement>(".grid .cell")];
    const at = cells.findIndex((cell) => cell.matches(":focus"));
    const next = at < 0 ? 0 : moved(at, event.key, columnsOf(this.shownLayout), cells.length);
    const from = cells[at]?.dataset.camera;
    const to = cells[next]?.dataset.camera;
    if (event.altKey && from && to && from !== to) {
      this.swap(from, to);
      void this.updateComplete.then(() => this.cellOf(from)?.focus());
    } else cells[next]?.focus();
  }

  /** Enlarged: the arrows lead to the next camera. */
  private neighbour(by: number): void {
    const { cameras } = this;
    const at = cameras.findIndex((camera) => camera.id === this.big);
    this.big = cameras[Math.max(0, Math.min(cameras.length - 1, at + by))]?.id ?? this.big;
  }
}
