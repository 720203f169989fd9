/** Reads the node's HLS playlists (RFC 8216bis §4): whole groups of pictures as byte ranges of segment files. */

export interface ByteRange {
  offset: number;
  length: number;
}

export interface Resource {
  url: string;
  range: ByteRange | null;
}

export interface Entry extends Resource {
  /** Length by the playlist, seconds. */
  duration: number;
  /** Wall time of the first picture, ms since 1970. */
  wallMs: number;
  /** Where the next one begins; a camera's clock may run fast, so this is not `wallMs + duration`. */
  wallEndMs: number;
  map: Resource | null;
  /** Counts discontinuities: entries of one run share it. */
  run: number;
}

export interface Playlist {
  entries: Entry[];
  ended: boolean;
}

interface Reading {
  base: string;
  entries: Entry[];
  ended: boolean;
  duration: number;
  wallMs: number | null;
  range: ByteRange | null;
  map: Resource | null;
  run: number;
  /** Where the next range of the same file begins when the playlist leaves its offset out. */
  lastEnd: number;
}

export function readPlaylist(text: string, base: string): Playlist {
  const reading: Reading = {
    base,
    entries: [],
    ended: false,
    duration: 0,
    wallMs: null,
    range: null,
    map: null,
    run: 0,
    lastEnd: 0,
  };
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line.startsWith("#EXT")) readTag(reading, line);
    else if (line && !line.startsWith("#")) addEntry(reading, line);
  }
  reading.entries.forEach((entry, i) => {
    const next = reading.entries[i + 1];
    const end = entry.wallMs + entry.duration * 1000;
    const joined = next?.run === entry.run && Math.abs(next.wallMs - end) < 0.1 * entry.duration * 1000;
    entry.wallEndMs = joined ? next.wallMs : end;
  });
  return { entries: reading.entries, ended: reading.ended };
}

function readTag(reading: Reading, line: string): void {
  const colon = line.indexOf(":");
  const tag = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1);
  if (tag === "#EXTINF") reading.duration = Number.parseFloat(value);
  else if (tag === "#EXT-X-PROGRAM-DATE-TIME") reading.wallMs = readDate(value);
  else if (tag === "#EXT-X-BYTERANGE") reading.range = readRange(value, reading.lastEnd);
  else if (tag === "#EXT-X-DISCONTINUITY") reading.run += 1;
  else if (tag === "#EXT-X-ENDLIST") reading.ended = true;
  else if (tag === "#EXT-X-MAP") {
    const uri = attribute(value, "URI");
    const range = attribute(value, "BYTERANGE");
    reading.map = uri ? { url: resolve(uri, reading.base), range: range ? readRange(range, 0) : null } : null;
  }
}

function addEntry(reading: Reading, uri: string): void {
  const { duration, range, map, run } = reading;
  const wallMs = reading.wallMs ?? 0;
  reading.entries.push({ url: resolve(uri, reading.base), range, map, run, duration, wallMs, wallEndMs: 0 });
  reading.wallMs = wallMs + duration * 1000;
  reading.lastEnd = range ? range.offset + range.length : 0;
  reading.range = null;
}

/** Sub-millisecond digits count: `Date.parse` drops them. */
function readDate(value: string): number {
  const match = /^(.*:\d{2})\.(\d+)(.*)$/.exec(value);
  if (!match) return Date.parse(value);
  return Date.parse(`${match[1] ?? ""}${match[3] ?? ""}`) + Number(`0.${match[2] ?? "0"}`) * 1000;
}

function readRange(value: string, start: number): ByteRange {
  const [length, offset] = value.split("@");
  return { length: Number(length), offset: offset === undefined ? start : Number(offset) };
}

function attribute(list: string, name: string): string | null {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(list)?.[1] ?? null;
}

function resolve(uri: string, base: string): string {
  return new URL(uri, base).href;
}

/** What makes an entry the same in two readings of a playlist that grew. */
export function entryKey(entry: Entry): string {
  return `${entry.url}@${entry.range?.offset ?? 0}`;
}
