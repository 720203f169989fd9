import { describe, expect, it } from "vitest";
import { freeField } from "../src/centre/watch/map-labels";

describe("a name on the map", () => {
  const own = { x: 200, y: 100 };
  const size = { width: 100, height: 20 };
  const at = (...others: { x: number; y: number }[]) => freeField(own, size, 400, [], others);

  it("stands below its point", () => {
    expect(at()).toEqual({ x: 150, y: 112, ...size });
  });

  it("makes way for a neighbouring point: above, beside, or it is left out", () => {
    const [below, above, right, left] = [{ x: 210, y: 125 }, { x: 170, y: 70 }, { x: 270, y: 100 }, { x: 130, y: 100 }];
    expect(at(below)?.y).toBe(68);
    expect(at(below, above)?.x).toBe(214);
    expect(at(below, above, right)?.x).toBe(86);
    expect(at(below, above, right, left)).toBeUndefined();
  });

  it("covers no other name and does not hang over the edge", () => {
    expect(freeField(own, size, 400, [{ x: 150, y: 115, ...size }], [])?.y).toBe(68);
    expect(freeField({ x: 380, y: 100 }, size, 400, [], [])).toEqual({ x: 266, y: 90, ...size });
  });
});
