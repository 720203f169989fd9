/** What the player does with time: live or past, running or not, how fast, and which moment the address names. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { StageElement } from "../parts/stage";
import { SPEEDS } from "../parts/transport";
import { cameraAddress, follow } from "../route";
import type { Stretch } from "../timeline/coverage";
import type { TimelineElement } from "../timeline/element";

/** The address follows while playing, not with every picture. */
const ADDRESS_EVERY_MS = 3000;
const LIVE_AGAIN_MS = 1500;
const TICK_MS = 250;
/** The group of pictures that is just being written can be played this much later. */
const WRITTEN_MS = 3000;
const CAUGHT_UP_MS = 12_000;

/** The page around it. */
export interface Shown extends ReactiveControllerHost {
  readonly camera: string;
  readonly selection: Stretch | null;
  readonly now: number;
  readonly mayLookBack: boolean;
  readonly stage: StageElement | null;
  readonly timeline: TimelineElement | null;
  /** The moment in the address; null: live. */
  atMs: number | null;
}

export class Playing implements ReactiveController {
  live = true;
  playing = true;
  speed = 1;
  /** The moment on the screen; null: not known, or live. */
  shown: number | null = null;
  private tick = 0;
  private addressAt = 0;
  private begun: string | null = null;
  /** The moment this page itself wrote into the address: coming back from there it is no order. */
  private written: number | null = null;

  constructor(private readonly page: Shown) {
    page.addController(this);
  }

  hostConnected(): void {
    this.tick = setInterval(() => this.onTick(), TICK_MS);
  }

  hostDisconnected(): void {
    clearInterval(this.tick);
  }

  /** Another camera: as its address says. */
  open(): void {
    this.begun = null;
    this.written = this.page.atMs;
    this.shown = this.page.atMs;
    this.live = this.page.atMs === null;
  }

  /** The address has changed: by this page's own hand, or as an order. */
  addressed(): void {
    const { atMs } = this.page;
    if (atMs === this.written) return;
    this.written = atMs;
    if (atMs === null) this.goLive();
    else void this.seek(atMs);
  }

  /** Once the stage stands, the moment that the page was opened with. */
  begin(): void {
    const { camera, stage, atMs, mayLookBack } = this.page;
    if (this.begun === camera || !stage?.deck || (atMs !== null && !mayLookBack)) return;
    this.begun = camera;
    if (atMs !== null) void this.seek(atMs);
  }

  /** Shows a moment of the past; where nothing was recorded yet, the live picture. */
  async seek(ms: number): Promise<void> {
    const { page } = this;
    if (!page.mayLookBack) return;
    if (ms > page.now - LIVE_AGAIN_MS) {
      this.goLive();
      return;
    }
    if (this.live) {
      this.live = false;
      this.playing = true;
      page.requestUpdate();
      await page.updateComplete;
    }
    this.shown = ms;
    page.requestUpdate();
    page.timeline?.reveal(ms);
    const deck = page.stage?.deck;
    if (!deck) return;
    if (this.playing) void deck.play();
    this.write(ms);
    await page.stage.seek(ms);
  }

  goLive(): void {
    this.live = true;
    this.playing = true;
    this.shown = null;
    this.setSpeed(1);
    this.page.timeline?.show(this.page.now);
    this.write(null);
  }

  /** The address of what is shown; with the stretch that is chosen. */
  write(ms: number | null): void {
    const { page } = this;
    this.addressAt = performance.now();
    this.written = ms === null ? null : Math.round(ms);
    page.atMs = this.written;
    follow(cameraAddress(page.camera, this.written, page.selection));
    page.requestUpdate();
  }

  toggle(): void {
    const { page } = this;
    if (this.live) {
      // Pausing what is live means: look at this moment.
      const at = page.stage?.shownMs ?? page.now;
      this.playing = false;
      this.live = false;
      this.shown = at;
      page.requestUpdate();
      void page.updateComplete.then(() => this.pauseAt(at));
      return;
    }
    const deck = page.stage?.deck;
    this.playing = !this.playing;
    page.requestUpdate();
    if (this.playing) {
      void deck?.play();
      return;
    }
    deck?.pause();
    this.settle();
  }

  private async pauseAt(at: number): Promise<void> {
    const { stage } = this.page;
    stage?.deck?.pause();
    await stage?.seek(at);
    if (stage?.deck?.state === "no_footage") await stage.seek(at - WRITTEN_MS);
    this.settle();
  }

  /** One picture of the past on or back. */
  async step(count: 1 | -1): Promise<void> {
    this.playing = false;
    await this.page.stage?.deck?.step(count);
    this.settle();
  }

  /** It stands: the address names the very picture. */
  private settle(): void {
    this.follow();
    if (this.shown !== null) this.write(this.shown);
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.page.stage?.deck?.rate(speed);
    this.page.requestUpdate();
  }

  faster(by: 1 | -1): void {
    const at = SPEEDS.findIndex((n) => n === this.speed);
    if (!this.live) this.setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + by))] ?? 1);
  }

  skip(ms: number): void {
    void this.seek((this.shown ?? this.page.stage?.shownMs ?? this.page.now) + ms);
  }

  /** The moment of the picture on the screen. */
  follow(): void {
    const { stage } = this.page;
    if (this.live || !stage?.deck) return;
    const at = this.playing ? stage.shownMs : (stage.deck.picture()?.wallMs ?? stage.deck.wanted);
    if (at === null || at === this.shown) return;
    this.shown = at;
    this.page.requestUpdate();
  }

  private onTick(): void {
    const { page } = this;
    this.follow();
    page.requestUpdate();
    if (this.live || !this.playing || this.shown === null) return;
    if (performance.now() - this.addressAt > ADDRESS_EVERY_MS) this.write(this.shown);
    if (page.stage?.deck?.state === "end" && page.now - this.shown < CAUGHT_UP_MS) this.goLive();
  }
}
