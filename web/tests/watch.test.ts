import { describe, expect, it } from "vitest";
import { type Position, wedge } from "../src/centre/watch/wedges";
import { readRoute, togetherAddress } from "../src/route";

const HERE: Position = [106.0852, 21.0411];

describe("what a camera sees on the map", () => {
  it("is a closed sector of the length asked for, in the direction of its azimuth", () => {
    const east = wedge(HERE, 90, 60, 100);
    expect(east[0]).toEqual(HERE);
    expect(east.at(-1)).toEqual(HERE);
    const middle = east[Math.floor(east.length / 2)] ?? HERE;
    expect(middle[0]).toBeGreaterThan(HERE[0]);
    expect(middle[1]).toBeCloseTo(HERE[1], 4);
    const metres = (middle[0] - HERE[0]) * 111_320 * Math.cos((HERE[1] * Math.PI) / 180);
    expect(metres).toBeGreaterThan(99);
    expect(metres).toBeLessThan(101);
  });

  it("looks north with azimuth 0", () => {
    const north = wedge(HERE, 0, null, 100);
    expect(Math.max(...north.map((point) => point[1]))).toBeGreaterThan(HERE[1] + 0.0008);
    expect(Math.min(...north.map((point) => point[1]))).toBe(HERE[1]);
  });
});

describe("the address of several recordings at one moment", () => {
  it("leads back to the same cameras and moment", () => {
    const cameras = ["01a1ffd2-74cf-719f-8813-2b68d724c350", "01a1ffd2-74cf-719f-8813-2b68d724c351"];
    const at = Date.parse("2026-11-20T15:36:00.250Z");
    const url = new URL(togetherAddress(cameras, at), "https://centre.example");
    expect(readRoute(url)).toEqual({ page: "together", cameras, atMs: at });
  });

  it("without a moment or with what is no camera it is read all the same", () => {
    const url = new URL("https://centre.example/together?cameras=x,,01A1FFD2-74CF-719F-8813-2B68D724C350");
    expect(readRoute(url)).toEqual({ page: "together", cameras: ["01a1ffd2-74cf-719f-8813-2b68d724c350"], atMs: null });
  });
});
