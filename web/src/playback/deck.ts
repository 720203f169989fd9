/** Plays recordings by wall time: seek, play over gaps, step by exactly one picture. */

import type { NodeClient, Note } from "../net/client";
import { asProblem, isAbort, Problem } from "../net/problem";
import type { StreamName } from "../net/types";
import { Library } from "./library";
import { type Entry, entryKey } from "./playlist";
import type { Picture, Piece } from "./reel";
import { DamagedMedia, Strip, UnsupportedMedia } from "./strip";

const AHEAD_SECONDS = 12;
const BEHIND_SECONDS = 45;
const EDGE_RETRY_MS = 1500;
/** Where recording ended longer ago than this, it does not go on every moment. */
const OLD_EDGE_MS = 60_000;
const OLD_EDGE_RETRY_MS = 10_000;

/** Something newer was asked for meanwhile. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

/** What the browser says of the bytes it got; null when it is not about them. */
function problemOfMedia(reason: unknown): Problem | null {
  if (reason instanceof UnsupportedMedia) return new Problem("unsupported", 0, reason.message);
  // A SourceBuffer that is gone (InvalidStateError) or full throws DOMExceptions.
  if (reason instanceof DamagedMedia || reason instanceof DOMException) return new Problem("not_decodable", 0, reason.message);
  return null;
}

export type DeckState = "empty" | "seeking" | "ready" | "no_footage" | "end" | "failed";

/** A jump of the clock that nobody needs to be told of. */
const BLINK_MS = 2000;

/** Events: `state`, `moment` (another picture is due), `landed` (a seek shows its picture), `skipped` (a gap; detail: ms). */
export class Deck extends EventTarget {
  state: DeckState = "empty";
  problem: Problem | null = null;
  /** The moment asked for while seeking, else null. */
  wanted: number | null = null;
  private readonly strip: Strip;
  private library: Library | null = null;
  private abort = new AbortController();
  private ends: { front: Entry; back: Entry } | null = null;
  private entries = new Map<string, Entry>();
  private preparing = new AbortController();
  private filling = false;
  private edgeTimer = 0;
  /** The piece on the screen when last looked. */
  private shown: Piece | null = null;
  private playing = false;
  private speed = 1;

  constructor(
    readonly video: HTMLVideoElement,
    private readonly clock: { now(): number },
  ) {
    super();
    this.strip = new Strip(video);
    video.muted = true;
    video.playsInline = true;
    video.preservesPitch = false;
    video.addEventListener("timeupdate", this.onTime);
    video.addEventListener("seeked", this.onTime);
    video.addEventListener("waiting", this.onTime);
    video.addEventListener("error", this.onError);
  }

  dispose(): void {
    this.unload();
    this.video.removeEventListener("timeupdate", this.onTime);
    this.video.removeEventListener("seeked", this.onTime);
    this.video.removeEventListener("waiting", this.onTime);
    this.video.removeEventListener("error", this.onError);
  }

  load(client: NodeClient, camera: string, stream: StreamName): void {
    const known = this.library;
    if (known?.client === client && known.camera === camera && known.stream === stream) return;
    this.unload();
    this.library = new Library(client, camera, stream, this.clock);
  }

  unload(): void {
    this.abort.abort();
    this.leaveEdge();
    this.video.pause();
    this.strip.dispose();
    this.library = null;
    this.ends = null;
    this.wanted = null;
    this.set("empty");
  }

  get note(): Note | null {
    return this.library?.note ?? null;
  }

  get isPlaying(): boolean {
    return this.playing;
  }

  /** Wall time of the picture on the screen, ms; null when there is none. */
  wall(): number | null {
    if (this.state !== "ready" && this.state !== "end") return null;
    return this.strip.reel.wallAt(this.video.currentTime);
  }

  /** The exact picture on the screen. */
  picture(): Picture | null {
    return this.strip.reel.pictureAt(this.video.currentTime);
  }

  async play(): Promise<void> {
    this.playing = true;
    this.video.playbackRate = this.speed;
    if (this.state === "end") this.set("ready");
    this.fill();
    await this.video.play().catch(() => undefined);
  }

  pause(): void {
    this.playing = false;
    this.video.pause();
    const shown = this.picture();
    // Paused between two pictures the next step would be off: rest on the picture that is seen.
    if (shown && this.state === "ready") this.video.currentTime = this.restOn(shown);
  }

  rate(speed: number): void {
    this.speed = speed;
    this.video.playbackRate = speed;
    this.fill();
  }

  /** Shows the picture of a moment, or the first one after it when nothing was recorded then. */
  async seek(wallMs: number): Promise<void> {
    const { library } = this;
    if (!library) return;
    const held = this.strip.reel.pictureAtWall(wallMs);
    if (held && this.ends) {
      this.abort.abort();
      this.abort = new AbortController();
      this.wanted = null;
      await this.land(held);
      this.fill();
      return;
    }
    await this.fetchAround(library, wallMs);
  }

  /** The pointer rests on a moment: a click there shall find its place known. */
  prepare(wallMs: number): void {
    this.preparing.abort();
    this.preparing = new AbortController();
    void this.library?.prepare(wallMs, this.preparing.signal);
  }

  async step(count: 1 | -1): Promise<void> {
    if (this.playing) this.pause();
    if (!this.ends || !this.library) return;
    let next = this.strip.reel.step(this.video.currentTime, count);
    if (!next) {
      await (count > 0 ? this.extend(this.library) : this.prepend(this.library));
      next = this.strip.reel.step(this.video.currentTime, count);
    }
    if (next) await this.land(next);
  }

  private async fetchAround(library: Library, wallMs: number): Promise<void> {
    this.abort.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.leaveEdge();
    this.wanted = wallMs;
    this.problem = null;
    this.set("seeking");
    try {
      const entry = await library.around(wallMs, abort.signal);
      if (isOver(abort.signal)) return;
      if (!entry?.map) {
        this.nothing();
        return;
      }
      const [init, data] = await Promise.all([library.init(entry.map), library.bytes(entry, abort.signal)]);
      if (isOver(abort.signal)) return;
      this.strip.restart();
      this.ends = { front: entry, back: entry };
      this.entries.clear();
      this.entries.set(entryKey(entry), entry);
      const piece = await this.strip.add(entry, init, data, "behind");
      if (isOver(abort.signal)) return;
      const picture = this.strip.reel.pictureAtWall(Math.max(wallMs, entry.wallMs));
      const first = piece?.pictures[0];
      const target = picture ?? (first === undefined ? null : { media: first, wallMs: entry.wallMs });
      if (!target) throw new DamagedMedia("no pictures");
      await this.land(target);
      this.fill();
    } catch (reason) {
      this.fail(reason, abort.signal);
    }
  }

  private nothing(): void {
    this.video.pause();
    this.ends = null;
    this.strip.reel.clear();
    this.set("no_footage");
  }

  private fail(reason: unknown, signal: AbortSignal): void {
    if (isAbort(reason) || isOver(signal)) return;
    if (reason instanceof Problem && reason.code === "no_footage") {
      this.nothing();
      return;
    }
    const damage = problemOfMedia(reason);
    this.problem = damage ?? asProblem(reason);
    if (damage) this.scrap();
    this.set("failed");
  }

  /** A media source that met bytes it cannot read takes no others: the next seek begins with a new one. */
  private scrap(): void {
    this.wanted ??= this.wall();
    this.abort.abort();
    this.abort = new AbortController();
    this.video.pause();
    this.strip.dispose();
    this.ends = null;
    this.entries.clear();
  }

  /** The browser gave up while it played, later than when the bytes were handed to it. */
  private readonly onError = (): void => {
    if (this.ends && this.video.error) this.fail(new DamagedMedia(this.video.error.message), this.abort.signal);
  };

  /** A little into the picture: on its very first instant rounding may show the one before. */
  private restOn(picture: Picture): number {
    return picture.media + 0.002;
  }

  private async land(picture: Picture): Promise<void> {
    const { signal } = this.abort;
    const seeked = new Promise<void>((done) => {
      const over = (): void => {
        this.video.removeEventListener("seeked", over);
        signal.removeEventListener("abort", over);
        done();
      };
      this.video.addEventListener("seeked", over);
      signal.addEventListener("abort", over);
    });
    this.video.currentTime = this.restOn(picture);
    await seeked;
    // Somewhere else was gone meanwhile: what this seek shows is no longer asked for.
    if (isOver(signal)) return;
    this.wanted = null;
    this.set("ready");
    if (this.playing) {
      this.video.playbackRate = this.speed;
      void this.video.play().catch(() => undefined);
    }
    this.dispatchEvent(new Event("landed"));
    this.dispatchEvent(new Event("moment"));
  }

  /** Keeps enough ahead of the picture, one group of pictures after the other. */
  private fill(): void {
    const { library } = this;
    if (this.filling || this.edgeTimer || !library || !this.ends || this.state === "seeking") return;
    const last = this.strip.reel.last;
    const need = AHEAD_SECONDS * Math.max(1, this.speed);
    if (!last || last.mediaEnd - this.video.currentTime > need) return;
    this.filling = true;
    const { signal } = this.abort;
    void this.extend(library)
      .then((more) => {
        this.filling = false;
        if (isOver(signal)) this.fill();
        else if (more) this.fill();
        else this.atTheEdge();
      })
      .catch((reason: unknown) => {
        this.filling = false;
        if (isAbort(reason) || isOver(signal)) return;
        if (reason instanceof DamagedMedia) this.fail(reason, signal);
        else this.atTheEdge();
      });
  }

  /** Nothing newer yet: the recorder is still writing it, or the node is away. Ask again soon. */
  private atTheEdge(): void {
    this.leaveEdge();
    this.restAtTheEnd();
    const old = this.clock.now() - (this.strip.reel.last?.wallEnd ?? 0) > OLD_EDGE_MS;
    this.edgeTimer = setTimeout(
      () => {
        this.edgeTimer = 0;
        this.restAtTheEnd();
        this.fill();
      },
      old ? OLD_EDGE_RETRY_MS : EDGE_RETRY_MS,
    );
  }

  private leaveEdge(): void {
    clearTimeout(this.edgeTimer);
    this.edgeTimer = 0;
  }

  private restAtTheEnd(): void {
    const last = this.strip.reel.last;
    if (last && this.playing && this.state === "ready" && last.mediaEnd - this.video.currentTime < 0.15) this.set("end");
  }

  private async extend(library: Library): Promise<boolean> {
    const { signal } = this.abort;
    if (!this.ends) return false;
    const next = await library.after(this.ends.back, signal);
    if (!next?.map || isOver(signal) || this.strip.reel.has(entryKey(next))) return false;
    const [init, data] = await Promise.all([library.init(next.map), library.bytes(next, signal)]);
    if (isOver(signal)) return false;
    await this.forget();
    if (isOver(signal)) return false;
    const piece = await this.strip.add(next, init, data, "behind");
    if (isOver(signal) || !piece) return false;
    this.entries.set(piece.key, next);
    this.ends.back = next;
    if (this.state === "end") this.set("ready");
    return true;
  }

  private async forget(): Promise<void> {
    await this.strip.forgetBefore(this.video.currentTime - BEHIND_SECONDS);
    const front = this.entries.get(this.strip.reel.first?.key ?? "");
    if (front && this.ends) this.ends.front = front;
  }

  private async prepend(library: Library): Promise<void> {
    const { signal } = this.abort;
    if (!this.ends) return;
    const previous = await library.before(this.ends.front, signal);
    if (!previous?.map || isOver(signal)) return;
    const [init, data] = await Promise.all([library.init(previous.map), library.bytes(previous, signal)]);
    if (isOver(signal)) return;
    const piece = await this.strip.add(previous, init, data, "front");
    if (isOver(signal) || !piece) return;
    this.entries.set(piece.key, previous);
    this.ends.front = previous;
  }

  private readonly onTime = (): void => {
    this.fill();
    if (this.edgeTimer) this.restAtTheEnd();
    this.tellOfGap();
    this.dispatchEvent(new Event("moment"));
  };

  /** Playing runs on over a gap: the clock jumps there, and somebody should say so. */
  private tellOfGap(): void {
    const piece = this.state === "ready" ? this.strip.reel.pieceAtMedia(this.video.currentTime) : null;
    if (!piece) return;
    const { reel } = this.strip;
    const before = this.shown === piece ? null : this.shown;
    this.shown = piece;
    if (!this.playing || before === null || reel.pieceAtMedia(piece.mediaStart - 0.01) !== before) return;
    const missing = piece.wallStart - before.wallEnd;
    if (missing > BLINK_MS) this.dispatchEvent(new CustomEvent("skipped", { detail: missing }));
  }

  private set(state: DeckState): void {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
