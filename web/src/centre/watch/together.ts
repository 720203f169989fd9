/** Up to nine cameras side by side at one moment of the past. */

import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, queryAll, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { House } from "../../house";
import { keptStream } from "../../net/types";
import "../../parts/bar";
import { icon } from "../../parts/icons";
import "../../parts/jump";
import type { JumpElement } from "../../parts/jump";
import { notice } from "../../parts/notice";
import "../../parts/stage";
import type { StageElement } from "../../parts/stage";
import { controls } from "../../parts/styles";
import { SPEEDS } from "../../parts/transport";
import { Conductor } from "../../playback/conductor";
import { cameraAddress, follow, go, MOST_TOGETHER, togetherAddress } from "../../route";
import type { Street } from "../../street";
import { clockText, dateText, dayText, sameDay } from "../../time/format";
import { CoverageSource } from "../../timeline/coverage";
import "../../timeline/element";
import type { TimelineElement } from "../../timeline/element";
import { LanguageController, t } from "../../words";
import { togetherStyles } from "./together.css";
import "./tree";

const TICK_MS = 200;
const ADDRESS_EVERY_MS = 3000;
const SKIP_MS = 5_000; // as in the player

@customElement("xy-together")
export class TogetherElement extends LitElement {
  static override styles = [controls, togetherStyles];

  @property({ attribute: false }) house!: Street;
  @property({ attribute: false }) cameras: readonly string[] = [];
  @property({ attribute: false }) atMs: number | null = null;
  /** Where the cameras to choose among are listed. */
  @property() address = "";
  @state() private choosing = false;
  @state() private lead: string | null = null;
  @state() private shown = 0;
  @queryAll("xy-stage") private stages!: NodeListOf<StageElement>;
  @query("xy-timeline") private timeline?: TimelineElement;
  @query("xy-jump") private jump!: JumpElement;
  private readonly coverage = new CoverageSource();
  private readonly conductor = new Conductor(Date.now() - 60_000, () => this.decks);
  private timer = 0;
  private addressAt = 0;
  private begun = new Set<string>();

  constructor() {
    super();
    new LanguageController(this);
  }

  private get decks() {
    return [...this.stages].flatMap((stage) => stage.deck ?? []);
  }

  private get now(): number {
    return this.house.clock.now();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.house.addEventListener("cameras", this.redraw);
    globalThis.addEventListener("keydown", this.onKey);
    this.timer = setInterval(this.onTick, TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.house.removeEventListener("cameras", this.redraw);
    globalThis.removeEventListener("keydown", this.onKey);
    clearInterval(this.timer);
    this.coverage.stop();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("atMs") && this.atMs !== null && !this.hasUpdated) this.conductor.at = this.atMs;
    const led = this.leading;
    const camera = led === null ? null : this.house.camera(led);
    const room = led === null ? null : this.house.of(led);
    if (camera && room?.may("past")) this.coverage.use(room.client, camera.id, keptStream(camera));
  }

  private get leading(): string | null {
    return this.lead !== null && this.cameras.includes(this.lead) ? this.lead : (this.cameras[0] ?? null);
  }

  override render() {
    const count = this.cameras.length;
    const across = count <= 1 ? 1 : count <= 4 ? 2 : 3;
    return html`<xy-bar guest>
        <div class="head">
          <a class="button" href="/live" aria-label=${t("nav.back")} @click=${this.onBack}>${icon("arrowLeft")}</a>
          <h1>${t("together.title")}</h1>
          <button
            aria-expanded=${this.choosing}
            aria-label=${t("together.choose")}
            title=${t("together.choose")}
            @click=${() => (this.choosing = !this.choosing)}
          >
            ${icon("tree")}<span class="text">${t("together.choose")}</span>
          </button>
          <span class="grow"></span>
          <div class="moment">
            <time>${clockText(this.shown)}</time>
            <small>${sameDay(this.shown, this.now) ? `${t("timeline.today")} ${dateText(this.shown)}` : dayText(this.shown)}</small>
          </div>
        </div>
      </xy-bar>
      <slot name="instead-of-time"></slot>
      <main class="across" aria-label=${t("together.title")}>
        ${this.choosing
          ? html`<xy-tree
              .house=${this.house}
              .address=${this.address}
              @pick=${(event: CustomEvent<string>) => this.pick(event.detail)}
              @close=${() => (this.choosing = false)}
            ></xy-tree>`
          : nothing}
        ${count
          ? html`<div class="grid n${across}">${repeat(this.cameras, (id) => id, (id) => this.cell(id))}</div>`
          : html`<div class="middle">
              <button class="primary" aria-expanded=${this.choosing} @click=${() => (this.choosing = true)}>
                ${icon("tree")}${t("together.choose")}
              </button>
            </div>`}
      </main>
      ${count ? this.tools() : nothing}
      <xy-jump .now=${() => this.now} @jump=${(event: CustomEvent<number>) => this.seek(event.detail)}></xy-jump>`;
  }

  private cell(id: string) {
    const camera = this.house.camera(id);
    const room = this.house.of(id);
    const may = room?.may("past") ?? false;
    return html`<figure class=${id === this.leading ? "lead" : ""}>
      ${camera && room && may
        ? html`<xy-stage .house=${room} .camera=${camera} .stream=${keptStream(camera)} .live=${false} data-camera=${id} @stage=${this.onStage}></xy-stage>
            ${this.isEmpty(id) ? html`<div class="none" role="status">${t("together.none")}</div>` : nothing}`
        : html`<div class="none" role="status">${this.whyNone(room)}</div>`}
      <figcaption>
        <a href=${cameraAddress(id, Math.round(this.shown))} class="button">${camera?.name ?? ""}</a>
        <span class="grow"></span>
        <button title=${t("together.lead")} aria-label=${t("together.lead")} aria-pressed=${id === this.leading} @click=${() => (this.lead = id)}>
          ${icon("clock")}
        </button>
        <button aria-label="${t("together.drop")}: ${camera?.name ?? ""}" @click=${() => this.pick(id)}>${icon("close")}</button>
      </figcaption>
    </figure>`;
  }

  private whyNone(room: House | null): string {
    if (room?.session) return t(room.may("past") ? "player.loading" : "player.noRight");
    return t(room?.problem ? "player.away" : "player.loading");
  }

  private isEmpty(id: string): boolean {
    const deck = [...this.stages].find((stage) => stage.camera.id === id)?.deck;
    return !!deck && (deck.state === "no_footage" || this.conductor.isAhead(deck));
  }

  private tools() {
    const { playing, speed } = this.conductor;
    return html`<div class="tools" role="group" aria-label=${t("together.title")}>
        <button @click=${() => this.seek(this.conductor.at - SKIP_MS)}>−5 s</button>
        <button class="primary" aria-label=${t(playing ? "together.pause" : "together.play")} @click=${this.toggle}>
          ${icon(playing ? "pause" : "play")}
        </button>
        <button @click=${() => this.seek(this.conductor.at + SKIP_MS)}>+5 s</button>
        <select aria-label=${t("player.speed")} @change=${this.onSpeed}>
          ${SPEEDS.map((one) => html`<option value=${one} ?selected=${one === speed}>${one === 0.5 ? "½" : one}×</option>`)}
        </select>
        <button
          class="outlined"
          aria-label=${t("together.jump")}
          title="${t("together.jump")} (G)"
          @click=${() => this.jump.show(this.conductor.at)}
        >
          ${icon("clock")}<span class="text">${t("together.jump")}</span>
        </button>
      </div>
      <div class="time">
        <xy-timeline
          .source=${this.coverage}
          .playhead=${this.shown}
          .nowMs=${this.now}
          .selection=${null}
          @seek=${(event: CustomEvent<number>) => this.seek(event.detail)}
          @coverage=${this.redraw}
        ></xy-timeline>
      </div>`;
  }

  private seek(ms: number): void {
    void this.conductor.seek(Math.min(ms, this.now - 2000));
    this.timeline?.reveal(this.conductor.at);
    this.write();
    this.shown = this.conductor.at;
  }

  private readonly toggle = (): void => {
    this.conductor.play(!this.conductor.playing);
    // What is stopped at is a moment to be sent to somebody.
    if (!this.conductor.playing) this.write();
    this.requestUpdate();
  };

  private readonly onSpeed = (event: Event): void => {
    this.conductor.speed = Number((event.target as HTMLSelectElement).value);
  };

  /** A picture's player has come, or changed its state: it begins at the moment of the others. */
  private readonly onStage = (event: Event): void => {
    const stage = event.target as StageElement;
    if (!this.begun.has(stage.camera.id) && stage.deck) {
      this.begun.add(stage.camera.id);
      void stage.seek(this.conductor.at);
    }
    this.requestUpdate();
  };

  private readonly onTick = (): void => {
    this.conductor.tick(this.now - 2000);
    this.shown = this.conductor.at;
    if (this.conductor.playing && performance.now() - this.addressAt > ADDRESS_EVERY_MS) this.write();
  };

  private write(): void {
    this.addressAt = performance.now();
    follow(togetherAddress(this.cameras, this.conductor.at));
  }

  /** In or out. */
  private pick(id: string): void {
    const others = this.cameras.filter((one) => one !== id);
    if (others.length >= MOST_TOGETHER) {
      notice(t("together.full"));
      return;
    }
    const next = others.length < this.cameras.length ? others : [...others, id];
    this.begun = new Set([...this.begun].filter((one) => next.includes(one)));
    go(togetherAddress(next, this.conductor.at), true);
  }

  private readonly onBack = (event: Event): void => {
    event.preventDefault();
    go("/live");
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    if (target instanceof HTMLElement && target.closest("dialog, button, a") && event.key === " ") return;
    if (event.key === " " || event.key === "k") this.toggle();
    else if (event.key === "ArrowLeft") this.seek(this.conductor.at - SKIP_MS);
    else if (event.key === "ArrowRight") this.seek(this.conductor.at + SKIP_MS);
    else if (event.key === "g") this.jump.show(this.conductor.at);
    else return;
    event.preventDefault();
  };

  private readonly redraw = (): void => this.requestUpdate();
}
