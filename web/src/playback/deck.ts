/** Plays recordings by wall time: seek, play over gaps, step by exactly one picture. */

import type { Note } from "../net/client";
import { asProblem, isAbort, Problem } from "../net/problem";
import type { StreamName } from "../net/types";
import { Library } from "./library";
import { type Entry, entryKey } from "./playlist";
import type { Picture } from "./reel";
import { Strip, UnsupportedMedia } from "./strip";

const AHEAD_SECONDS = 12;
const BEHIND_SECONDS = 45;
const EDGE_RETRY_MS = 1500;

/** Something newer was asked for meanwhile. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

export type DeckState = "empty" | "seeking" | "ready" | "no_footage" | "end" | "failed";

/** Events: `state`, `moment` (another picture is due), `landed` (a seek shows its picture). */
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
  }

  dispose(): void {
    this.unload();
    this.video.removeEventListener("timeupdate", this.onTime);
    this.video.removeEventListener("seeked", this.onTime);
    this.video.removeEventListener("waiting", this.onTime);
  }

  load(camera: string, stream: StreamName): void {
    if (this.library?.camera === camera && this.library.stream === stream) return;
    this.unload();
    this.library = new Library(camera, stream, this.clock);
  }

  unload(): void {
    this.abort.abort();
    clearTimeout(this.edgeTimer);
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
    clearTimeout(this.edgeTimer);
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
      if (!target) throw new UnsupportedMedia("no pictures");
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
    this.problem = reason instanceof UnsupportedMedia ? new Problem("unsupported", 0, reason.message) : asProblem(reason);
    this.set("failed");
  }

  /** A little into the picture: on its very first instant rounding may show the one before. */
  private restOn(picture: Picture): number {
    return picture.media + 0.002;
  }

  private async land(picture: Picture): Promise<void> {
    const seeked = new Promise((done) => this.video.addEventListener("seeked", done, { once: true }));
    this.video.currentTime = this.restOn(picture);
    await seeked;
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
    if (this.filling || !library || !this.ends || this.state === "seeking") return;
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
        if (!isAbort(reason) && !isOver(signal)) this.atTheEdge();
      });
  }

  /** Nothing newer yet: the recorder is still writing it, or the node is away. Ask again soon. */
  private atTheEdge(): void {
    clearTimeout(this.edgeTimer);
    this.edgeTimer = setTimeout(() => {
      const last = this.strip.reel.last;
      if (last && this.playing && last.mediaEnd - this.video.currentTime < 0.15) this.set("end");
      this.fill();
    }, EDGE_RETRY_MS);
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
    this.dispatchEvent(new Event("moment"));
  };

  private set(state: DeckState): void {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
