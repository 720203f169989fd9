import { describe, expect, it } from "vitest";
import { area, middle, moved, readMasks, rectangle, withCornerAt, withMiddle, withoutCorner } from "../src/centre/cameras-polygons";

const DOOR = rectangle([0.4, 0.6], [0.2, 0.2]);

describe("masks of a camera", () => {
  it("are rectangles at first, from whichever corner they are drawn", () => {
    expect(DOOR).toEqual([
      [0.2, 0.2],
      [0.4, 0.2],
      [0.4, 0.6],
      [0.2, 0.6],
    ]);
    expect(area(DOOR)).toBeCloseTo(0.08);
  });

  it("stop at the edge of the picture and keep their form", () => {
    expect(moved(DOOR, -0.9, 0.9)).toEqual([
      [0, 0.6],
      [0.2, 0.6],
      [0.2, 1],
      [0, 1],
    ]);
    expect(withCornerAt(DOOR, 0, [-3, 0.12345])[0]).toEqual([0, 0.1235]);
  });

  it("get a corner in the middle of an edge, the last edge too, and lose one", () => {
    expect(middle(DOOR, 3)).toEqual([0.2, 0.4]);
    expect(withMiddle(DOOR, 3)).toEqual([...DOOR, [0.2, 0.4]]);
    expect(withMiddle(DOOR, 0)[1]).toEqual([0.3, 0.2]);
    expect(withoutCorner(withMiddle(DOOR, 0), 1)).toEqual(DOOR);
  });

  it("are none where what is kept cannot be read", () => {
    expect(readMasks("")).toEqual([]);
    expect(readMasks("{}")).toEqual([]);
    expect(readMasks("[[[0,0],[1,0],[1,1]]]")).toHaveLength(1);
  });
});
