/** The player: one camera, live or at any moment that was recorded. */

import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { House, Watched } from "../house";
import { type Action, type Camera, keptStream, type StreamName } from "../net/types";
import "../parts/bar";
import "../parts/clip";
import { toggleFull } from "../parts/full";
import { IdleController } from "../parts/idle";
import "../parts/jump";
import type { JumpElement } from "../parts/jump";
import { notice } from "../parts/notice";
import "../parts/preview";
import type { PreviewElement } from "../parts/preview";
import "../parts/stage";
import type { StageElement } from "../parts/stage";
import { controls, skeleton } from "../parts/styles";
import type { Press } from "../parts/transport";
import "../parts/transport";
import { cameraAddress, go } from "../route";
import { CoverageSource, type Stretch } from "../timeline/coverage";
import "../timeline/element";
import type { PointedDetail, TimelineElement } from "../timeline/element";
import { LanguageController, t } from "../words";
import { cameraStyles } from "./camera.css";
import { cameraKey, obey, type Player } from "./camera-keys";
import { badgePart, clockPart, copied, fullPart, headPart, holePart, isStill, noPastPart, timePart, unknownPart, waitingPart } from "./camera-parts";
import { Playing, type Shown } from "./camera-time";
import { marked, proposed, SELECT_MS } from "./selection";

const REST_MS = 80;

@customElement("xy-camera-page")
export class CameraPageElement extends LitElement implements Player, Shown {
  static override styles = [controls, skeleton, cameraStyles];

  @property({ attribute: false }) house!: Watched;
  @property() camera = "";
  @property({ attribute: false }) atMs: number | null = null;
  @property({ attribute: false }) selection: Stretch | null = null;
  @state() private pointed: PointedDetail | null = null;
  @state() private scrubbing: number | null = null;
  @query("xy-stage") readonly stage!: StageElement | null;
  @query("xy-timeline") readonly timeline!: TimelineElement | null;
  @query("xy-preview") private preview?: PreviewElement;
  @query("xy-jump") private jump!: JumpElement;
  private readonly rest = new IdleController(this);
  private readonly coverage = new CoverageSource();
  private readonly time = new Playing(this);
  private restTimer = 0;

  constructor() {
    super();
    new LanguageController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.house.addEventListener("cameras", this.redraw);
    this.addEventListener("picture-state", this.redraw);
    globalThis.addEventListener("keydown", this.onKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.house.removeEventListener("cameras", this.redraw);
    this.removeEventListener("picture-state", this.redraw);
    globalThis.removeEventListener("keydown", this.onKey);
    clearTimeout(this.restTimer);
    this.coverage.stop();
  }

  private get known(): Camera | null {
    return this.house.camera(this.camera);
  }

  /** The recording that is shown: the main stream unless only the other is recorded. */
  private get stream(): StreamName {
    return this.known ? keptStream(this.known) : "main";
  }

  get now(): number {
    return (this.room ?? this.house).clock.now();
  }

  /** The moment on the screen, ms. */
  get moment(): number {
    return this.time.shown ?? this.stage?.shownMs ?? this.now;
  }

  /** The node that has this camera. */
  private get room(): House | null {
    return this.house.of(this.camera);
  }

  get isLive(): boolean {
    return this.time.live;
  }

  get mayLookBack(): boolean {
    return this.may("past");
  }

  private may(action: Action): boolean {
    return this.room?.may(action) ?? false;
  }

  override render() {
    const camera = this.known;
    if (this.house.cameras === null) return waitingPart(this.house.own);
    if (!camera || !this.room) return unknownPart(this.house.own);
    return html`<div class="page ${this.rest.idle ? "idle" : ""}">
      <xy-bar narrow ?guest=${!this.house.own}>${headPart(camera, (by) => this.other(by), [this.badge(), this.clock()])}</xy-bar>
      <main id="main">
        <xy-stage
          .house=${this.room}
          .camera=${camera}
          .stream=${this.stream}
          .live=${this.time.live}
          @stage=${this.redraw}
          @moment=${this.onMoment}
          >${this.hole()}</xy-stage
        >
        <div class="bottom">
          ${this.rest.isFull ? fullPart(camera, [this.badge(), this.clock()]) : nothing}
          <div class="phone">${this.clock()}${this.badge()}</div>
          ${this.tools()} ${this.timePart()} ${this.clipPart()} <slot name="beside"></slot>
        </div>
      </main>
      <xy-jump .now=${() => this.now} @jump=${(e: CustomEvent<number>) => void this.seek(e.detail)}></xy-jump>
    </div>`;
  }

  private clock() {
    const { live, playing, shown } = this.time;
    const ms = this.scrubbing ?? shown ?? (live ? this.now : null);
    return ms === null ? nothing : clockPart(ms, this.now, !live && !playing && this.scrubbing === null);
  }

  private badge() {
    return badgePart(this.time.live ? (this.stage?.pictureElement?.pictureState ?? null) : "past", this.now);
  }

  private hole() {
    const deck = this.stage?.deck;
    if (this.time.live || deck?.state !== "no_footage") return nothing;
    return holePart(this.coverage.current, deck.wanted ?? this.now, this.now, (ms) => void this.seek(ms));
  }

  private tools() {
    return html`<xy-transport
      class="deckTools"
      .playing=${this.time.live || this.time.playing}
      .still=${this.isStill}
      .live=${this.time.live}
      .away=${this.time.live && this.isStill}
      .speed=${this.time.speed}
      .selecting=${this.selection !== null}
      .mayPast=${this.may("past")}
      .mayClip=${this.may("clip")}
      .unheard=${!this.room?.session}
      @press=${(event: CustomEvent<Press>) => this.onPress(event.detail)}
      @speed=${(event: CustomEvent<number>) => this.time.setSpeed(event.detail)}
    ></xy-transport>`;
  }

  private get isStill(): boolean {
    return isStill(this.stage, this.time.live);
  }

  private timePart() {
    const { room } = this;
    if (!room) return nothing;
    if (!room.may("past")) return noPastPart(room);
    return timePart({
      client: room.client,
      camera: this.camera,
      stream: this.stream,
      source: this.coverage,
      timeline: this.timeline ?? null,
      pointed: this.pointed,
      playhead: this.time.live ? null : this.time.shown,
      nowMs: this.now,
      selection: this.selection,
      recording: this.known?.streams[this.stream]?.state === "recording",
      seek: (ms) => ((this.scrubbing = null), void this.seek(ms)),
      scrub: (ms) => (this.scrubbing = Math.min(ms, this.now)),
      point: this.onPointed,
      select: (stretch) => this.select(stretch),
      redraw: this.redraw,
    });
  }

  private clipPart() {
    if (!this.selection || !this.may("clip")) return nothing;
    return html`<xy-clip
      .client=${this.room?.client}
      .camera=${this.camera}
      .stream=${this.stream}
      .selection=${this.selection}
      .nowMs=${this.now}
      @select=${(e: CustomEvent<Stretch>) => this.select(e.detail)}
      @set-in=${() => this.mark("from")}
      @set-out=${() => this.mark("to")}
      @clear=${() => this.select(null)}
    ></xy-clip>`;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (this.room && this.camera) this.coverage.use(this.room.client, this.camera, this.stream);
    if ((changed.has("camera") || changed.has("house")) && this.camera) this.time.open();
    else if (changed.has("atMs")) this.time.addressed();
  }

  override updated(): void {
    if (this.pointed && this.timeline) this.preview?.place(this.timeline, this.pointed.x);
    this.time.begin();
  }

  /** Shows a moment of the past; where nothing was recorded yet, the live picture. */
  async seek(ms: number): Promise<void> {
    await this.time.seek(ms);
  }

  private toggle(): void {
    if (!this.isStill) this.time.toggle();
  }

  /** One picture on or back; from the live picture: stop. */
  private step(count: 1 | -1): void {
    if (this.time.live) this.toggle();
    else void this.time.step(count);
  }

  faster(by: 1 | -1): void {
    this.time.faster(by);
  }

  skip(ms: number): void {
    this.time.skip(ms);
  }

  mark(end: "from" | "to"): void {
    const at = this.time.shown ?? this.now;
    if (!this.selection) this.widen(at);
    this.select(marked(this.selection, end, at, this.now));
  }

  /** On an hour of timeline half a minute is too narrow for its two handles. */
  private widen(middle: number): void {
    const span = this.timeline?.shownScale.spanMs ?? 0;
    if (span > SELECT_MS * 30) this.timeline?.show(middle, SELECT_MS * 10);
  }

  private select(stretch: Stretch | null): void {
    this.selection = stretch && { from: Math.round(stretch.from), to: Math.round(stretch.to) };
    this.time.write(this.time.live ? null : this.time.shown);
  }

  private toggleSelection(): void {
    if (this.selection) {
      this.select(null);
      return;
    }
    const middle = this.time.shown ?? this.now - SELECT_MS / 2;
    this.select(proposed(middle, this.now));
    this.widen(middle);
  }

  other(by: 1 | -1): void {
    const all = this.house.cameras ?? [];
    const at = all.findIndex((camera) => camera.id === this.camera);
    const next = all[(at + by + all.length) % all.length];
    // The moment stays: the next camera shows what it saw then.
    if (next) go(cameraAddress(next.id, this.time.live ? null : this.time.shown));
  }

  private async copy(): Promise<void> {
    const at = this.time.shown ?? this.now;
    this.time.write(this.time.live ? null : at);
    notice(t((await copied(cameraAddress(this.camera, at, this.selection))) ? "player.copied" : "player.notCopied"));
  }

  onPress(what: Press): void {
    const actions: Record<Press, () => void> = {
      play: () => this.toggle(),
      back: () => this.skip(-5000),
      forward: () => this.skip(5000),
      "frame-back": () => this.step(-1),
      "frame-forward": () => this.step(1),
      now: () => this.time.goLive(),
      jump: () => this.jump.show(this.time.shown ?? this.now),
      select: () => this.toggleSelection(),
      "zoom-in": () => this.timeline?.zoom(2),
      "zoom-out": () => this.timeline?.zoom(0.5),
      full: () => toggleFull(this),
      copy: () => void this.copy(),
    };
    actions[what]();
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const what = cameraKey(event);
    if (!what || !this.known) return;
    event.preventDefault();
    obey(this, what);
  };

  leave(): void {
    if (!document.fullscreenElement) go("/live");
  }

  private readonly onPointed = (detail: PointedDetail | null): void => {
    this.pointed = detail;
    clearTimeout(this.restTimer);
    if (!detail || detail.ms > this.now || this.scrubbing !== null) return;
    this.restTimer = setTimeout(() => this.stage?.prepare(detail.ms), REST_MS);
  };

  private readonly onMoment = (): void => this.time.follow();

  private readonly redraw = (): void => this.requestUpdate();
}
