/** Knows which groups of pictures a stream has around a moment, and fetches them. */

import { playableCodecs } from "../media/codecs";
import { timescaleOf } from "../media/mp4";
import type { NodeClient, Note } from "../net/client";
import { asProblem } from "../net/problem";
import type { StreamName } from "../net/types";
import { type Entry, type Resource, entryKey, readPlaylist } from "./playlist";

/** First look: little, so that the answer is quick. Then further ahead in larger steps. */
const FIRST_AHEAD_MS = 8000;
/** What the pointer rests on is asked for before the click. */
const PREPARED_MS = 60_000;
const AHEAD_MS = 120_000;
const BEHIND_MS = 30_000;
const DAY_MS = 86_400_000;
/** Beyond a gap: how far, ms, and how finely, s, the timeline is asked. */
const LOOKS_AHEAD = [
  { within: DAY_MS, resolution: 1 },
  { within: 399 * DAY_MS, resolution: 60 },
] as const;

export class Library {
  private entries: Entry[] = [];
  private prepared: Entry[] = [];
  private inits = new Map<string, Promise<ArrayBuffer>>();
  /** Set when what is played is not the stream as it was recorded. */
  note: Note | null = null;

  constructor(
    readonly client: NodeClient,
    readonly camera: string,
    readonly stream: StreamName,
    private readonly clock: { now(): number },
  ) {}

  /** The entry that shows `wallMs`, else the first after it, looking ahead by a little only. */
  async around(wallMs: number, signal: AbortSignal): Promise<Entry | null> {
    const known = this.covering(wallMs);
    if (known) return known;
    const prepared = this.prepared.find((entry) => covers(entry, wallMs));
    if (prepared) {
      this.entries = this.prepared;
      return prepared;
    }
    this.entries = await this.list(wallMs, wallMs + FIRST_AHEAD_MS, signal);
    return this.covering(wallMs) ?? this.entries.find((entry) => entry.wallMs > wallMs) ?? null;
  }

  /** Looks up what a click here would need; failures show when it is clicked. */
  async prepare(wallMs: number, signal: AbortSignal): Promise<void> {
    if (this.covering(wallMs) ?? this.prepared.find((entry) => covers(entry, wallMs))) return;
    const half = PREPARED_MS / 2;
    this.prepared = await this.list(wallMs - half, wallMs + half, signal).catch(() => []);
  }

  /** The entry after this one; null when there is none (yet). */
  async after(entry: Entry, signal: AbortSignal): Promise<Entry | null> {
    const next = this.neighbour(entry, 1);
    if (next) return next;
    const end = entry.wallEndMs;
    this.merge(await this.list(end + 1, end + AHEAD_MS, signal));
    const found = this.grown(entry) ?? this.neighbour(entry, 1);
    if (found || end + AHEAD_MS > this.clock.now()) return found;
    const resumed = await this.footageAfter(end + AHEAD_MS, signal);
    if (resumed === null) return null;
    this.merge(await this.list(resumed, resumed + AHEAD_MS, signal));
    return this.neighbour(entry, 1);
  }

  /** Where recording went on after a long gap, ms; null when it did not. */
  private async footageAfter(ms: number, signal: AbortSignal): Promise<number | null> {
    const now = this.clock.now();
    for (const { within, resolution } of LOOKS_AHEAD) {
      const to = Math.min(now, ms + within);
      const answer = await this.client.timeline(this.camera, this.stream, ms, to, resolution, signal);
      const span = answer.spans[0];
      if (span) return Math.max(ms, Date.parse(span.from));
      if (to === now) return null;
    }
    return null;
  }

  /** A short group at the live edge may have been joined with the next: what came after, as an entry of its own. */
  private grown(entry: Entry): Entry | null {
    const key = entryKey(entry);
    const whole = this.entries.find((other) => entryKey(other) === key);
    if (!whole?.range || !entry.range || whole.range.length <= entry.range.length) return null;
    const { offset, length } = entry.range;
    const tail: Entry = {
      ...whole,
      range: { offset: offset + length, length: whole.range.length - length },
      duration: whole.duration - entry.duration,
      wallMs: entry.wallEndMs,
    };
    this.entries = this.entries.map((other) => (other === whole ? entry : other));
    this.merge([tail]);
    return tail;
  }

  async before(entry: Entry, signal: AbortSignal): Promise<Entry | null> {
    const known = this.neighbour(entry, -1);
    if (known) return known;
    this.merge(await this.list(entry.wallMs - BEHIND_MS, entry.wallMs - 1, signal));
    return this.neighbour(entry, -1);
  }

  bytes(entry: Entry, signal: AbortSignal): Promise<ArrayBuffer> {
    return this.client.bytes(entry.url, entry.range, signal);
  }

  /** Headers are small and shared by all entries of a file: fetched once, kept. */
  init(map: Resource): Promise<ArrayBuffer> {
    const key = `${map.url}@${map.range?.offset ?? 0}`;
    const known = this.inits.get(key);
    if (known) return known;
    const asked = this.client.bytes(map.url, map.range, new AbortController().signal);
    this.inits.set(key, asked);
    // What is no header is not kept: the next one who asks may get a whole one.
    void asked.then(timescaleOf).then(
      (timescale) => timescale === null && this.inits.delete(key),
      () => this.inits.delete(key),
    );
    if (this.inits.size > 200) this.inits.clear();
    return asked;
  }

  private covering(wallMs: number): Entry | null {
    return this.entries.find((entry) => covers(entry, wallMs)) ?? null;
  }

  private neighbour(entry: Entry, by: 1 | -1): Entry | null {
    const key = entryKey(entry);
    const at = this.entries.findIndex((other) => entryKey(other) === key);
    return at < 0 ? null : (this.entries[at + by] ?? null);
  }

  private async list(fromMs: number, toMs: number, signal: AbortSignal): Promise<Entry[]> {
    const now = this.clock.now();
    if (fromMs >= now) return [];
    const to = Math.max(fromMs + 1, Math.min(toMs, now));
    try {
      const answer = await this.client.playlist(this.camera, this.stream, fromMs, to, playableCodecs(), signal);
      this.note = answer.note;
      return readPlaylist(answer.text, answer.url).entries;
    } catch (reason) {
      if (asProblem(reason).code === "no_footage") return [];
      throw reason;
    }
  }

  private merge(more: Entry[]): void {
    const all = new Map(this.entries.map((entry) => [entryKey(entry), entry]));
    for (const entry of more) {
      const key = entryKey(entry);
      const known = all.get(key);
      // A group that was still being written has grown: the longer one counts.
      if (!known || entry.duration > known.duration) all.set(key, entry);
    }
    this.entries = [...all.values()].sort((a, b) => a.wallMs - b.wallMs).slice(-4000);
  }
}

/** The list may round times to milliseconds. */
function covers(entry: Entry, wallMs: number): boolean {
  return wallMs >= entry.wallMs - 0.6 && wallMs < entry.wallEndMs - 0.6;
}
