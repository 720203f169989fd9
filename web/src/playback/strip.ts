/** One SourceBuffer filled with pieces of recordings, end to end. */

import { mediaSourceType } from "../media/codecs";
import { fragmentsOf, timescaleOf } from "../media/mp4";
import type { Entry } from "./playlist";
import { entryKey } from "./playlist";
import { type Piece, Reel } from "./reel";

/** A fresh strip begins here on the media axis, so that footage before it can be put in front. */
const ORIGIN = 100_000;
/** Each new place in time is laid this far from the last: nothing must be removed first. */
const STRIDE = 20_000;
const JOINED = 0.25;

/** This browser cannot play such media at all. */
export class UnsupportedMedia extends Error {}

/** It can, but not these bytes. */
export class DamagedMedia extends Error {}

export class Strip {
  readonly reel = new Reel();
  private buffer: SourceBuffer | null = null;
  private objectUrl: string | null = null;
  private work: Promise<void> = Promise.resolve();
  private mime: string | null = null;
  private initKey: string | null = null;
  private timescale = 90_000;
  private origin = ORIGIN;
  private offset = 0;
  private generation = 0;

  constructor(private readonly video: HTMLVideoElement) {}

  dispose(): void {
    this.generation += 1;
    // What waits for a media source that goes now would wait for ever.
    this.work = Promise.resolve();
    this.reel.clear();
    this.buffer = null;
    this.mime = null;
    this.initKey = null;
    this.origin = ORIGIN;
    if (this.objectUrl) URL.revokeObjectURL(this.objectUrl);
    this.objectUrl = null;
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** Forget all pieces; the next one begins a strip of its own. */
  restart(): void {
    this.generation += 1;
    this.reel.clear();
    this.origin += STRIDE;
    const { buffer, origin } = this;
    if (buffer) void this.exclusively(() => this.remove(buffer, 0, origin - STRIDE / 2)).catch(() => undefined);
  }

  /** Puts an entry behind the last piece, in front of the first, or alone into an empty strip. */
  add(entry: Entry, init: ArrayBuffer, data: ArrayBuffer, side: "behind" | "front"): Promise<Piece | null> {
    const { generation } = this;
    return this.exclusively(async () =>
      generation === this.generation ? this.place(entry, init, data, side, generation) : null,
    );
  }

  /** Drops whole pieces that end before `media`: cutting into one would take its later pictures too. */
  forgetBefore(media: number): Promise<void> {
    return this.exclusively(async () => {
      const cut = this.reel.endBefore(media);
      if (!this.buffer || cut === null) return;
      this.reel.dropBefore(cut + 0.001);
      await this.remove(this.buffer, 0, cut);
    });
  }

  private async place(
    entry: Entry,
    init: ArrayBuffer,
    data: ArrayBuffer,
    side: "behind" | "front",
    generation: number,
  ): Promise<Piece | null> {
    if (timescaleOf(init) === null) throw new DamagedMedia("no header");
    const mime = mimeOf(init);
    const buffer = this.buffer ?? (await this.open(mime));
    if (generation !== this.generation) return null;
    const key = `${entry.map?.url ?? ""}@${entry.map?.range?.offset ?? 0}`;
    if (key !== this.initKey) {
      if (mime !== this.mime) buffer.changeType(mime);
      this.mime = mime;
      this.timescale = timescaleOf(init) ?? 90_000;
      await this.append(buffer, init);
      if (generation !== this.generation) return null;
      this.initKey = key;
    }
    const ticks = fragmentsOf(data).flatMap((fragment) => fragment.samples);
    const last = ticks.at(-1);
    if (!last) return null;
    const raw = ticks.map((sample) => sample.pts / this.timescale).sort((a, b) => a - b);
    const begin = raw[0] ?? 0;
    const end = (raw.at(-1) ?? 0) + last.duration / this.timescale;
    this.chooseOffset(begin, end, side);
    if (buffer.timestampOffset !== this.offset) buffer.timestampOffset = this.offset;
    await this.append(buffer, data);
    if (generation !== this.generation) return null;
    const piece: Piece = {
      key: entryKey(entry),
      mediaStart: begin + this.offset,
      mediaEnd: end + this.offset,
      wallStart: entry.wallMs,
      wallEnd: entry.wallEndMs,
      pictures: raw.map((at) => at + this.offset),
    };
    this.reel.add(piece);
    return piece;
  }

  /** One run keeps its own media time; another run, or one after a gap, is joined on without a hole. */
  private chooseOffset(begin: number, end: number, side: "behind" | "front"): void {
    const { first, last } = this.reel;
    if (!first || !last) {
      this.offset = this.origin - begin;
    } else if (side === "behind") {
      if (Math.abs(begin + this.offset - last.mediaEnd) > JOINED) this.offset = last.mediaEnd - begin;
    } else if (Math.abs(end + this.offset - first.mediaStart) > JOINED) this.offset = first.mediaStart - end;
  }

  private async open(mime: string): Promise<SourceBuffer> {
    const type = mediaSourceType();
    if (!type?.isTypeSupported(mime)) throw new UnsupportedMedia(mime);
    const source = new type();
    this.objectUrl = URL.createObjectURL(source);
    this.video.disableRemotePlayback = true;
    const opened = new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
    this.video.src = this.objectUrl;
    await opened;
    source.duration = 1e9;
    const buffer = source.addSourceBuffer(mime);
    buffer.mode = "segments";
    this.buffer = buffer;
    this.mime = mime;
    return buffer;
  }

  private append(buffer: SourceBuffer, data: ArrayBuffer): Promise<void> {
    const done = finished(buffer);
    buffer.appendBuffer(data);
    return done;
  }

  private remove(buffer: SourceBuffer, start: number, end: number): Promise<void> {
    const done = finished(buffer);
    buffer.remove(start, end);
    return done;
  }

  /** A SourceBuffer does one thing at a time. */
  private exclusively<T>(job: () => Promise<T>): Promise<T> {
    const result = this.work.then(job);
    this.work = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}

function finished(buffer: SourceBuffer): Promise<void> {
  return new Promise((done, failed) => {
    const clear = () => {
      buffer.removeEventListener("updateend", onEnd);
      buffer.removeEventListener("error", onError);
    };
    const onEnd = () => {
      clear();
      done();
    };
    const onError = () => {
      clear();
      failed(new DamagedMedia("the browser could not read this stretch"));
    };
    buffer.addEventListener("updateend", onEnd);
    buffer.addEventListener("error", onError);
  });
}

/** The MIME type of an initialisation segment, from its sample entry (RFC 6381; ISO/IEC 14496-15 annex E). */
export function mimeOf(init: ArrayBuffer): string {
  const data = new Uint8Array(init);
  const at = (name: string): number => {
    for (let i = 0; i + 4 <= data.length; i += 1) {
      if ([0, 1, 2, 3].every((k) => data[i + k] === name.charCodeAt(k))) return i + 4;
    }
    return -1;
  };
  const avcc = at("avcC");
  if (avcc > 0) {
    const hex = [1, 2, 3].map((k) => (data[avcc + k] ?? 0).toString(16).padStart(2, "0")).join("");
    return `video/mp4; codecs="avc1.${hex}"`;
  }
  const hvcc = at("hvcC");
  if (hvcc > 0) return `video/mp4; codecs="${hevcCodec(data.subarray(hvcc))}"`;
  throw new UnsupportedMedia("neither H.264 nor H.265");
}

function hevcCodec(hvcc: Uint8Array): string {
  const view = new DataView(hvcc.buffer, hvcc.byteOffset, hvcc.byteLength);
  const first = view.getUint8(1);
  const space = ["", "A", "B", "C"][first >> 6] ?? "";
  let compatibility = 0;
  for (let bit = 0; bit < 32; bit += 1) {
    if (view.getUint32(2) & (1 << bit)) compatibility |= 1 << (31 - bit);
  }
  const tier = first & 0x20 ? "H" : "L";
  const constraints = Array.from(hvcc.subarray(6, 12));
  while (constraints.length && constraints.at(-1) === 0) constraints.pop();
  const tail = constraints.map((byte) => `.${byte.toString(16).toUpperCase()}`).join("");
  return `hvc1.${space}${first & 0x1f}.${(compatibility >>> 0).toString(16).toUpperCase()}.${tier}${view.getUint8(12)}${tail}`;
}
