import { describe, expect, it } from "vitest";
import { firstPts, fragmentsOf, timescaleOf } from "../src/media/mp4";

function u32(...values: number[]): number[] {
  return values.flatMap((v) => [(v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255]);
}

function box(type: string, ...content: number[][]): number[] {
  const body = content.flat();
  return [...u32(body.length + 8), ...Array.from(type).map((c) => c.charCodeAt(0)), ...body];
}

const version1 = [1, 0, 0, 0];

function fragment(dts: number, samples: [duration: number, offset: number][]): number[] {
  const trun = box(
    "trun",
    u32(0x01000000 | 0x1 | 0x100 | 0x200 | 0x800, samples.length, 0),
    ...samples.map(([duration, offset]) => u32(duration, 1000, offset)),
  );
  const traf = box("traf", box("tfhd", u32(0x20000, 1)), box("tfdt", version1, u32(0, dts)), trun);
  return [...box("moof", box("mfhd", u32(0, 1)), traf), ...box("mdat", [1, 2, 3])];
}

describe("reading fragments", () => {
  it("gives presentation times in decoding order, also with B-frames", () => {
    const data = Uint8Array.from(fragment(9000, [[3600, 3600], [3600, 7200], [3600, -3600]]));
    const [read] = fragmentsOf(data);
    expect(read?.samples.map((s) => s.pts)).toEqual([12600, 19800, 12600]);
    expect(read && firstPts(read)).toBe(12600);
  });

  it("finds every fragment of a range and passes over seals between them", () => {
    const seal = box("uuid", u32(1, 2, 3, 4));
    const data = Uint8Array.from([...fragment(0, [[3600, 0]]), ...seal, ...fragment(3600, [[3600, 0]])]);
    expect(fragmentsOf(data).map((f) => f.dts)).toEqual([0, 3600]);
  });

  it("stops quietly at a box that was cut off", () => {
    const whole = fragment(0, [[3600, 0]]);
    const data = Uint8Array.from([...whole, ...fragment(3600, [[3600, 0]]).slice(0, 20)]);
    expect(fragmentsOf(data)).toHaveLength(1);
    expect(fragmentsOf(Uint8Array.from(whole.slice(0, 5)))).toEqual([]);
  });

  it("reads the timescale of the track", () => {
    const mdhd = box("mdhd", version1, u32(0, 0, 0, 0, 90_000, 0, 0, 0));
    const init = Uint8Array.from(box("moov", box("trak", box("mdia", mdhd))));
    expect(timescaleOf(init)).toBe(90_000);
    expect(timescaleOf(Uint8Array.from(box("ftyp", u32(1))))).toBeNull();
  });
});
