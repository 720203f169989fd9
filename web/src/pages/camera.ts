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
import { type Press, SPEEDS } from "../parts/transport";
import "../parts/transport";
import { cameraAddress, follow, go } from "../route";
import { CoverageSource, type Stretch } from "../timeline/coverage";
import "../timeline/element";
import type { PointedDetail, TimelineElement } from "../timeline/element";
import { LanguageController, t } from "../words";
import { cameraStyles } from "./camera.css";
import { cameraKey, obey, type Player } from "./camera-keys";
import { badgePart, clockPart, copied, fullPart, headPart, holePart, isStill, noPastPart, timePart, unknownPart, waitingPart } from "./camera-parts";
import { marked, proposed, SELECT_MS } from "./selection";

/** The address follows while playing, not with every picture. */
const ADDRESS_EVERY_MS = 3000;
const LIVE_AGAIN_MS = 1500;
const REST_MS = 80;

@customElement("xy-camera-page")
export class CameraPageElement extends LitElement implements Player {
  static override styles = [controls, skeleton, cameraStyles];

  @property({ attribute: false }) house!: Watched;
  @property() camera = "";
  @property({ attribute: false }) atMs: number | null = null;
  @property({ attribute: false }) selection: Stretch | null = null;
  @state() private live = true;
  @state() private playing = true;
  @state() private speed = 1;
  @state() private shown: number | null = null;
  @state() private pointed: PointedDetail | null = null;
  @state() private scrubbing: number | null = null;
  @query("xy-stage") private stage?: StageElement;
  @query("xy-timeline") private timeline?: TimelineElement;
  @query("xy-preview") private preview?: PreviewElement;
  @query("xy-jump") private jump!: JumpElement;
  private readonly rest = new IdleController(this);
  private readonly coverage = new CoverageSource();
  private tick = 0;
  private addressAt = 0;
  private restTimer = 0;
  private begun: string | null = null;
  /** The moment this page itself wrote into the address: coming back from there it is no order. */
  private written: number | null = null;

  constructor() {
    super();
    new LanguageController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.house.addEventListener("cameras", this.redraw);
    this.addEventListener("picture-state", this.redraw);
    globalThis.addEventListener("keydown", this.onKey);
    this.tick = setInterval(this.onSecond, 250);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.house.removeEventListener("cameras", this.redraw);
    this.removeEventListener("picture-state", this.redraw);
    globalThis.removeEventListener("keydown", this.onKey);
    clearInterval(this.tick);
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

  private get now(): number {
    return (this.room ?? this.house).clock.now();
  }

  /** The moment on the screen, ms. */
  get moment(): number {
    return this.shown ?? this.stage?.shownMs ?? this.now;
  }

  /** The node that has this camera. */
  private get room(): House | null {
    return this.house.of(this.camera);
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
          .live=${this.live}
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
    const ms = this.scrubbing ?? this.shown ?? (this.live ? this.now : null);
    return ms === null ? nothing : clockPart(ms, this.now, !this.live && !this.playing && this.scrubbing === null);
  }

  private badge() {
    return badgePart(this.live ? (this.stage?.pictureElement?.pictureState ?? null) : "past", this.now);
  }

  private hole() {
    const deck = this.stage?.deck;
    if (this.live || deck?.state !== "no_footage") return nothing;
    return holePart(this.coverage.current, deck.wanted ?? this.now, this.now, (ms) => void this.seek(ms));
  }

  private tools() {
    return html`<xy-transport
      class="deckTools"
      .playing=${this.live || this.playing}
      .still=${this.isStill}
      .live=${this.live}
      .away=${this.live && this.isStill}
      .speed=${this.speed}
      .selecting=${this.selection !== null}
      .mayPast=${this.may("past")}
      .mayClip=${this.may("clip")}
      @press=${(event: CustomEvent<Press>) => this.onPress(event.detail)}
      @speed=${(event: CustomEvent<number>) => this.setSpeed(event.detail)}
    ></xy-transport>`;
  }

  private get isStill(): boolean {
    return isStill(this.stage, this.live);
  }

  private timePart() {
    const { room } = this;
    if (!room?.may("past")) return noPastPart();
    return timePart({
      client: room.client,
      camera: this.camera,
      stream: this.stream,
      source: this.coverage,
      timeline: this.timeline ?? null,
      pointed: this.pointed,
      playhead: this.live ? null : this.shown,
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
    if ((changed.has("camera") || changed.has("house")) && this.camera) {
      this.begun = null;
      this.written = this.atMs;
      this.shown = this.atMs;
      this.live = this.atMs === null;
    } else if (changed.has("atMs") && this.atMs !== this.written) {
      this.written = this.atMs;
      if (this.atMs === null) this.goLive();
      else void this.seek(this.atMs);
    }
  }

  override updated(): void {
    if (this.pointed && this.timeline) this.preview?.place(this.timeline, this.pointed.x);
    if (this.begun === this.camera || !this.stage?.deck || (this.atMs !== null && !this.may("past"))) return;
    this.begun = this.camera;
    if (this.atMs !== null) void this.seek(this.atMs);
  }

  /** Shows a moment of the past; where nothing was recorded yet, the live picture. */
  async seek(ms: number): Promise<void> {
    if (!this.may("past")) return;
    const { now } = this;
    if (ms > now - LIVE_AGAIN_MS) {
      this.goLive();
      return;
    }
    if (this.live) {
      this.live = false;
      this.playing = true;
      await this.updateComplete;
    }
    this.shown = ms;
    this.timeline?.reveal(ms);
    const deck = this.stage?.deck;
    if (!deck) return;
    if (this.playing) void deck.play();
    this.writeAddress(ms);
    await this.stage?.seek(ms);
  }

  private goLive(): void {
    this.live = true;
    this.playing = true;
    this.shown = null;
    this.setSpeed(1);
    this.timeline?.show(this.now);
    this.writeAddress(null);
  }

  private writeAddress(ms: number | null): void {
    this.addressAt = performance.now();
    this.written = ms === null ? null : Math.round(ms);
    this.atMs = this.written;
    follow(cameraAddress(this.camera, this.written, this.selection));
  }

  private toggle(): void {
    if (this.isStill) return;
    if (this.live) {
      // Pausing what is live means: look at this moment.
      const at = this.stage?.shownMs ?? this.now;
      this.playing = false;
      this.live = false;
      this.shown = at;
      void this.updateComplete.then(() => this.pauseAt(at));
      return;
    }
    const deck = this.stage?.deck;
    this.playing = !this.playing;
    if (this.playing) void deck?.play();
    else {
      deck?.pause();
      this.onMoment();
      if (this.shown !== null) this.writeAddress(this.shown);
    }
  }

  private async pauseAt(at: number): Promise<void> {
    this.stage?.deck?.pause();
    // The group of pictures that is just being written can be played a moment later.
    await this.stage?.seek(at);
    if (this.stage?.deck?.state === "no_footage") await this.stage.seek(at - 3000);
    this.onMoment();
    if (this.shown !== null) this.writeAddress(this.shown);
  }

  private async step(count: 1 | -1): Promise<void> {
    if (this.live) {
      this.toggle();
      return;
    }
    this.playing = false;
    await this.stage?.deck?.step(count);
    this.onMoment();
    if (this.shown !== null) this.writeAddress(this.shown);
  }

  private setSpeed(speed: number): void {
    this.speed = speed;
    this.stage?.deck?.rate(speed);
  }

  faster(by: 1 | -1): void {
    const at = SPEEDS.findIndex((n) => n === this.speed);
    if (!this.live) this.setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + by))] ?? 1);
  }

  skip(ms: number): void {
    void this.seek((this.shown ?? this.stage?.shownMs ?? this.now) + ms);
  }

  mark(end: "from" | "to"): void {
    const at = this.shown ?? this.now;
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
    this.writeAddress(this.live ? null : this.shown);
  }

  private toggleSelection(): void {
    if (this.selection) {
      this.select(null);
      return;
    }
    const middle = this.shown ?? this.now - SELECT_MS / 2;
    this.select(proposed(middle, this.now));
    this.widen(middle);
  }

  other(by: 1 | -1): void {
    const all = this.house.cameras ?? [];
    const at = all.findIndex((camera) => camera.id === this.camera);
    const next = all[(at + by + all.length) % all.length];
    // The moment stays: the next camera shows what it saw then.
    if (next) go(cameraAddress(next.id, this.live ? null : this.shown));
  }

  private async copy(): Promise<void> {
    const at = this.shown ?? this.now;
    this.writeAddress(this.live ? null : at);
    notice(t((await copied(cameraAddress(this.camera, at, this.selection))) ? "player.copied" : "player.notCopied"));
  }

  onPress(what: Press): void {
    const actions: Record<Press, () => void> = {
      play: () => this.toggle(),
      back: () => this.skip(-5000),
      forward: () => this.skip(5000),
      "frame-back": () => void this.step(-1),
      "frame-forward": () => void this.step(1),
      now: () => this.goLive(),
      jump: () => this.jump.show(this.shown ?? this.now),
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

  private readonly onMoment = (): void => {
    const deck = this.stage?.deck;
    if (this.live || !deck) return;
    const at = this.playing ? this.stage?.shownMs : (deck.picture()?.wallMs ?? deck.wanted);
    if (at !== null && at !== undefined) this.shown = at;
  };

  private readonly onSecond = (): void => {
    if (!this.live) this.onMoment();
    this.requestUpdate();
    if (this.live || !this.playing || this.shown === null) return;
    if (performance.now() - this.addressAt > ADDRESS_EVERY_MS) this.writeAddress(this.shown);
    if (this.stage?.deck?.state === "end" && this.now - this.shown < 12_000) this.goLive();
  };

  private readonly redraw = (): void => this.requestUpdate();
}
