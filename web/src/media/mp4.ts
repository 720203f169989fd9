/** Reads what the player needs from fragmented MP4 (ISO/IEC 14496-12): times of samples, never media. */

export interface Sample {
  /** Presentation time, ticks of the track's timescale. */
  pts: number;
  duration: number;
}

export interface Fragment {
  /** Decoding time of the first sample, ticks. */
  dts: number;
  samples: Sample[];
}

interface Box {
  type: string;
  start: number;
  end: number;
}

function* boxes(view: DataView, start: number, end: number): Generator<Box> {
  let at = start;
  while (at + 8 <= end) {
    let size = view.getUint32(at);
    const type = String.fromCharCode(
      view.getUint8(at + 4),
      view.getUint8(at + 5),
      view.getUint8(at + 6),
      view.getUint8(at + 7),
    );
    let header = 8;
    if (size === 1 && at + 16 <= end) {
      size = Number(view.getBigUint64(at + 8));
      header = 16;
    } else if (size === 0) size = end - at;
    if (size < header || at + size > end) return;
    yield { type, start: at + header, end: at + size };
    at += size;
  }
}

function find(view: DataView, path: string[], start: number, end: number): Box | null {
  const [type, ...rest] = path;
  for (const box of boxes(view, start, end)) {
    if (box.type !== type) continue;
    if (rest.length === 0) return box;
    const inner = find(view, rest, box.start, box.end);
    if (inner) return inner;
  }
  return null;
}

function viewOf(data: ArrayBuffer | Uint8Array): DataView {
  return data instanceof Uint8Array ? new DataView(data.buffer, data.byteOffset, data.byteLength) : new DataView(data);
}

/** Ticks per second of the (only) track of an initialisation segment; null when it has none. */
export function timescaleOf(init: ArrayBuffer | Uint8Array): number | null {
  const view = viewOf(init);
  const box = find(view, ["moov", "trak", "mdia", "mdhd"], 0, view.byteLength);
  if (!box) return null;
  const version = view.getUint8(box.start);
  return view.getUint32(box.start + (version === 1 ? 20 : 12));
}

/** Every fragment (`moof`) of a range of a segment file, in order. Other boxes are passed over. */
export function fragmentsOf(data: ArrayBuffer | Uint8Array): Fragment[] {
  const view = viewOf(data);
  const found: Fragment[] = [];
  for (const box of boxes(view, 0, view.byteLength)) {
    if (box.type !== "moof") continue;
    const traf = find(view, ["traf"], box.start, box.end);
    const fragment = traf && readTraf(view, traf);
    if (fragment) found.push(fragment);
  }
  return found;
}

function readTraf(view: DataView, traf: Box): Fragment | null {
  let dts = 0;
  let defaultDuration = 0;
  const samples: Sample[] = [];
  let next = 0;
  for (const box of boxes(view, traf.start, traf.end)) {
    if (box.type === "tfhd") {
      const flags = view.getUint32(box.start) & 0xffffff;
      let at = box.start + 8;
      if (flags & 0x1) at += 8;
      if (flags & 0x2) at += 4;
      if (flags & 0x8) defaultDuration = view.getUint32(at);
    } else if (box.type === "tfdt") {
      const version = view.getUint8(box.start);
      dts = version === 1 ? Number(view.getBigUint64(box.start + 4)) : view.getUint32(box.start + 4);
      next = dts;
    } else if (box.type === "trun") {
      next = readTrun(view, box, next, defaultDuration, samples);
    }
  }
  return samples.length ? { dts, samples } : null;
}

function readTrun(view: DataView, box: Box, start: number, defaultDuration: number, samples: Sample[]): number {
  const flags = view.getUint32(box.start) & 0xffffff;
  const count = view.getUint32(box.start + 4);
  let at = box.start + 8;
  if (flags & 0x1) at += 4;
  if (flags & 0x4) at += 4;
  let dts = start;
  for (let i = 0; i < count; i += 1) {
    let duration = defaultDuration;
    if (flags & 0x100) {
      duration = view.getUint32(at);
      at += 4;
    }
    if (flags & 0x200) at += 4;
    if (flags & 0x400) at += 4;
    let offset = 0;
    if (flags & 0x800) {
      offset = view.getInt32(at);
      at += 4;
    }
    samples.push({ pts: dts + offset, duration });
    dts += duration;
  }
  return dts;
}

/** Earliest presentation time of a fragment, ticks. */
export function firstPts(fragment: Fragment): number {
  let first = Infinity;
  for (const sample of fragment.samples) first = Math.min(first, sample.pts);
  return first;
}
