/** Feeds one `<video>` with live fragments and keeps it at the edge. */

import { mediaSourceType } from "../media/codecs";
import { firstPts, fragmentsOf, timescaleOf } from "../media/mp4";
import type { ServerClock } from "../net/clock";
import type { StreamName } from "../net/types";
import { EdgeControl } from "./edge";
import type { Frame } from "./frame";
import type { InitMessage, LiveListener, LiveSocket, LiveWatch, StateMessage } from "./socket";

/** Media kept behind the picture, seconds. */
const KEPT_BEHIND = 6;
const TRIM_EVERY_MS = 8000;
/** More than this waiting to be appended means the browser cannot follow. */
const QUEUE_LIMIT = 60;

interface Anchor {
  media: number;
  wallMs: number;
}

interface Piece {
  data: Uint8Array<ArrayBuffer>;
  kind: "init" | "media";
  wallMs: number;
  /** Set on an init: the type to change to. */
  mime: string | null;
}

export class LiveFeed implements LiveListener {
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private queue: Piece[] = [];
  private watch: LiveWatch | null = null;
  private objectUrl: string | null = null;
  private announced: InitMessage | null = null;
  private mime: string | null = null;
  private timescale = 90_000;
  private rebase = false;
  private untilKeyframe = true;
  private anchors: Anchor[] = [];
  private lastTrim = 0;
  private advancedTo = -1;
  private presented = 0;
  private readonly edge = new EdgeControl();

  server: { state: StateMessage["state"]; reason: string | null; detail: string; since: number } | null = null;
  note: InitMessage["note"] = null;
  lastBytes: number | null = null;
  lastAdvance: number | null = null;
  askedAt = 0;
  size: { width: number; height: number } | null = null;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly clock: ServerClock,
    private readonly changed: () => void,
    private readonly broken: () => void,
  ) {
    video.muted = true;
    video.playsInline = true;
    video.disableRemotePlayback = true;
    video.addEventListener("waiting", this.onWaiting);
    video.addEventListener("error", this.onError);
  }

  /** `askedAt`: since when this view is wanted, when it was asked for before in vain; ms by the node's clock. */
  start(socket: LiveSocket, camera: string, stream: StreamName, askedAt: number | null): void {
    this.stop();
    this.askedAt = askedAt ?? this.clock.now();
    this.watch = socket.watch(camera, stream, this);
  }

  stop(): void {
    this.watch?.leave();
    this.watch = null;
    this.tearDown();
    this.server = null;
    this.note = null;
    this.lastBytes = null;
    this.lastAdvance = null;
    this.anchors = [];
  }

  dispose(): void {
    this.stop();
    this.video.removeEventListener("waiting", this.onWaiting);
    this.video.removeEventListener("error", this.onError);
  }

  /** Wall time of the picture on the screen, ms; null before the first. */
  shownWall(): number | null {
    const now = this.video.currentTime;
    for (let i = this.anchors.length - 1; i >= 0; i -= 1) {
      const anchor = this.anchors[i];
      if (anchor && anchor.media <= now + 0.001) return anchor.wallMs + (now - anchor.media) * 1000;
    }
    const first = this.anchors[0];
    return first && this.lastAdvance !== null ? first.wallMs : null;
  }

  /** Called about once a second: has the picture really changed since? */
  observe(): void {
    const quality = this.video.getVideoPlaybackQuality();
    const shown = quality.totalVideoFrames - quality.droppedVideoFrames;
    const moved = this.video.currentTime !== this.advancedTo && shown !== this.presented;
    this.presented = shown;
    this.advancedTo = this.video.currentTime;
    if (moved && this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) this.lastAdvance = this.clock.now();
    if (this.buffer && this.video.paused && !document.hidden) void this.video.play().catch(() => undefined);
  }

  onInit(message: InitMessage): void {
    this.announced = message;
    this.note = message.note;
    this.size = { width: message.width, height: message.height };
    this.changed();
  }

  onState(message: StateMessage): void {
    const since = message.since ? Date.parse(message.since) : this.clock.now();
    this.server = { state: message.state, reason: message.reason, detail: message.detail ?? "", since };
    this.changed();
  }

  onSkip(): void {
    this.queue = this.queue.filter((piece) => piece.kind === "init");
    this.untilKeyframe = true;
  }

  onFrame(frame: Frame): void {
    if (frame.kind === "init") {
      const mime = this.announced?.mime ?? this.mime;
      if (!mime) return;
      this.queue = [{ data: frame.payload, kind: "init", wallMs: frame.wallMs, mime }];
      this.untilKeyframe = true;
      this.open(mime);
      this.pump();
      return;
    }
    this.lastBytes = this.clock.now();
    if (this.untilKeyframe && frame.kind !== "keyframe") return;
    if (this.queue.length > QUEUE_LIMIT) {
      this.onSkip();
      if (frame.kind !== "keyframe") return;
    }
    this.untilKeyframe = false;
    this.queue.push({ data: frame.payload, kind: "media", wallMs: frame.wallMs, mime: null });
    this.pump();
  }

  private open(mime: string): void {
    const type = mediaSourceType();
    if (this.source || !type?.isTypeSupported(mime)) return;
    const source = new type();
    this.source = source;
    this.objectUrl = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      if (source !== this.source || this.buffer) return;
      source.duration = Infinity;
      this.buffer = source.addSourceBuffer(mime);
      this.buffer.mode = "segments";
      this.buffer.addEventListener("updateend", this.pump);
      this.mime = mime;
      this.pump();
    });
    this.video.src = this.objectUrl;
  }

  private tearDown(): void {
    this.buffer?.removeEventListener("updateend", this.pump);
    this.buffer = null;
    this.source = null;
    this.queue = [];
    this.mime = null;
    this.advancedTo = -1;
    this.presented = 0;
    this.edge.reset();
    if (this.objectUrl) {
      URL.revokeObjectURL(this.objectUrl);
      this.objectUrl = null;
      this.video.removeAttribute("src");
      this.video.load();
    }
  }

  private readonly pump = (): void => {
    const { buffer, source } = this;
    if (!buffer || source?.readyState !== "open" || buffer.updating) return;
    if (this.trim(buffer)) return;
    const piece = this.queue.shift();
    if (!piece) return;
    if (piece.kind === "media") this.follow(buffer);
    try {
      if (piece.kind === "init") this.begin(buffer, piece);
      else this.place(buffer, piece);
      buffer.appendBuffer(piece.data);
    } catch (reason) {
      if (reason instanceof DOMException && reason.name === "QuotaExceededError") {
        buffer.remove(0, Math.max(0.1, this.video.currentTime - 1));
        // What waits belongs to the group of pictures that has just lost one of its pieces.
        this.onSkip();
      } else this.rebuild();
    }
  };

  private begin(buffer: SourceBuffer, piece: Piece): void {
    this.timescale = timescaleOf(piece.data) ?? 90_000;
    this.rebase = true;
    this.edge.reset();
    if (piece.mime && piece.mime !== this.mime) {
      buffer.changeType(piece.mime);
      this.mime = piece.mime;
    }
  }

  /** A new run starts its media time at 0: it is laid right behind what there is. */
  private place(buffer: SourceBuffer, piece: Piece): void {
    const fragment = fragmentsOf(piece.data)[0];
    if (!fragment) return;
    const start = firstPts(fragment) / this.timescale;
    if (this.rebase) {
      const ranges = buffer.buffered;
      const end = ranges.length ? ranges.end(ranges.length - 1) : 0;
      buffer.timestampOffset = end - start;
      this.rebase = false;
    }
    this.anchors.push({ media: start + buffer.timestampOffset, wallMs: piece.wallMs });
    if (this.anchors.length > 200) this.anchors.splice(0, 80);
  }

  private follow(buffer: SourceBuffer): void {
    const ranges = buffer.buffered;
    if (!ranges.length) return;
    const last = ranges.length - 1;
    const order = this.edge.next({
      now: performance.now(),
      currentTime: this.video.currentTime,
      start: ranges.start(last),
      end: ranges.end(last),
    });
    if (order.seekTo !== null) this.video.currentTime = order.seekTo;
    if (this.video.playbackRate !== order.rate) this.video.playbackRate = order.rate;
    if (this.video.paused) void this.video.play().catch(() => undefined);
  }

  private trim(buffer: SourceBuffer): boolean {
    const now = performance.now();
    if (now - this.lastTrim < TRIM_EVERY_MS || !buffer.buffered.length) return false;
    this.lastTrim = now;
    const until = this.video.currentTime - KEPT_BEHIND;
    if (buffer.buffered.start(0) >= until) return false;
    buffer.remove(0, until);
    return true;
  }

  private readonly onWaiting = (): void => this.edge.starved();

  private readonly onError = (): void => {
    if (this.source) this.rebuild();
  };

  /** The browser gave up on these bytes: the owner asks the node for the view again, after a while. */
  private rebuild(): void {
    this.stop();
    this.broken();
  }
}
