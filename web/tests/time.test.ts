import { afterEach, describe, expect, it } from "vitest";
import { marked, proposed } from "../src/pages/selection";
import { cameraAddress, readRoute } from "../src/route";
import { momentText, sinceText, sizeText } from "../src/time/format";
import { readTyped } from "../src/time/typed";
import { moment, useZone, wall } from "../src/time/zone";
import { gapAt, gapNear } from "../src/timeline/coverage";
import { LONGEST_MS, SHORTEST_MS, ticks, tickStep, toMs, toX, zoomed } from "../src/timeline/scale";
import { fill } from "../src/words";
import { en } from "../src/words/en";
import { vi, type Word } from "../src/words/vi";

/** A moment by the clocks of Viet Nam, which this machine's need not be. */
const at = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0, milli = 0) =>
  Date.UTC(year, month, day, hour - 7, minute, second, milli);
const NOW = at(2026, 10, 21, 22, 40, 0);

describe("moments as people type them", () => {
  it("reads clock times as today's, or yesterday's when they have not come yet", () => {
    expect(readTyped("22:38:14", NOW)).toBe(at(2026, 10, 21, 22, 38, 14));
    expect(readTyped("22h38", NOW)).toBe(at(2026, 10, 21, 22, 38, 0));
    expect(readTyped("23:10", NOW)).toBe(at(2026, 10, 20, 23, 10, 0));
    expect(readTyped("22:38:14.040", NOW)).toBe(at(2026, 10, 21, 22, 38, 14, 40));
  });

  it("reads dates before or after the time, day first", () => {
    expect(readTyped("20/11 07:05", NOW)).toBe(at(2026, 10, 20, 7, 5, 0));
    expect(readTyped("07:05 20/11/2026", NOW)).toBe(at(2026, 10, 20, 7, 5, 0));
    expect(readTyped("31/12 08:00", NOW)).toBe(at(2025, 11, 31, 8, 0, 0));
  });

  it("reads relative and ISO times", () => {
    expect(readTyped("-10p", NOW)).toBe(NOW - 600_000);
    expect(readTyped("-10 phút", NOW)).toBe(NOW - 600_000);
    expect(readTyped("-1h", NOW)).toBe(NOW - 3_600_000);
    expect(readTyped("2026-11-21T07:00:00Z", NOW)).toBe(Date.parse("2026-11-21T07:00:00Z"));
  });

  it("refuses what is no time", () => {
    for (const text of ["", "abc", "25:00", "12:60", "31/02 10:00", "1 2 3", "22:38 foo"]) {
      expect(readTyped(text, NOW), text).toBeNull();
    }
  });
});

describe("times as they are shown", () => {
  it("has seconds always and the date when it is not today", () => {
    expect(momentText(at(2026, 10, 21, 7, 5, 9), NOW)).toBe("07:05:09");
    expect(momentText(at(2026, 10, 20, 7, 5, 9), NOW)).toBe("20/11/2026 07:05:09");
    expect(sinceText(at(2026, 10, 20, 7, 5, 9), NOW)).toBe("20/11 07:05");
    expect(sizeText(12_345_678)).toBe("12,3 MB");
  });
});

describe("the timeline's scale", () => {
  const scale = { fromMs: NOW - 3_600_000, spanMs: 3_600_000, width: 1000 };

  it("zooms around the pointer, from a minute to a month", () => {
    const closer = zoomed(scale, 4, 300);
    expect(toMs(closer, 300)).toBeCloseTo(toMs(scale, 300));
    expect(zoomed(scale, 1e9, 0).spanMs).toBe(SHORTEST_MS);
    expect(zoomed(scale, 1e-9, 0).spanMs).toBe(LONGEST_MS);
    expect(toX(scale, toMs(scale, 123))).toBeCloseTo(123);
  });

  it("labels round local times without crowding", () => {
    for (const spanMs of [60_000, 3_600_000, 86_400_000, LONGEST_MS]) {
      const view = { ...scale, spanMs };
      const step = tickStep(view, 78);
      const found = ticks(view, step);
      expect(found.length).toBeGreaterThan(1);
      expect(found.length * 78).toBeLessThan(1000 + 2 * 78);
    }
  });

  it("begins days at local midnight", () => {
    const days = ticks({ fromMs: NOW - 5 * 86_400_000, spanMs: 5 * 86_400_000, width: 500 }, 86_400_000);
    expect(days.every((ms) => new Date(ms + 7 * 3_600_000).getUTCHours() === 0)).toBe(true);
  });
});

describe("gaps and selections", () => {
  const around = { from: 0, to: 100, resolutionMs: 1, spans: [], holds: [], keyframes: [], first: 0, now: 100 };

  it("finds several short gaps told as one beside the pointer, and does not take their footage for a gap", () => {
    const many = { from: 10, to: 60, reason: "network" as const, detail: "", open: false, missingMs: 5 };
    const coverage = { ...around, gaps: [many] };
    expect(gapAt(coverage, 30)).toBeNull();
    expect(gapNear(coverage, 62, 3)).toBe(many);
    expect(gapNear(coverage, 64, 3)).toBeNull();
  });

  it("finds the gap of a moment", () => {
    const gap = { from: 10, to: 20, reason: "network" as const, detail: "", open: false, missingMs: 10 };
    const coverage = { ...around, gaps: [gap] };
    expect(gapAt(coverage, 15)).toBe(gap);
    expect(gapAt(coverage, 20)).toBeNull();
  });

  it("marks ends in either order and never beyond now", () => {
    expect(marked(null, "from", 1000, 1e6)).toEqual({ from: 1000, to: 31_000 });
    expect(marked(null, "from", 100_000, 100_000)).toEqual({ from: 70_000, to: 100_000 });
    expect(marked({ from: 5000, to: 9000 }, "to", 7000, 1e6)).toEqual({ from: 5000, to: 7001 });
    expect(marked({ from: 5000, to: 9000 }, "from", 12_000, 1e6)).toEqual({ from: 12_000, to: 42_000 });
    expect(marked(null, "from", 1000, 5000)).toEqual({ from: 1000, to: 5000 });
    expect(proposed(100_000, 105_000)).toEqual({ from: 85_000, to: 105_000 });
  });
});

describe("addresses", () => {
  const id = "4e964fc1-40ac-50b9-8169-c8f69b478dd0";

  it("keep the moment and the selection", () => {
    const made = cameraAddress(id, Date.parse("2026-11-21T07:00:00.040Z"), { from: 1000, to: 2000 });
    expect(made).toContain(`/camera/${id}?at=2026-11-21T07:00:00.040Z`);
    const url = new URL(made, "http://node.test");
    expect(readRoute(url)).toEqual({
      page: "camera",
      camera: id,
      atMs: Date.parse("2026-11-21T07:00:00.040Z"),
      selection: { from: 1000, to: 2000 },
    });
  });

  it("take the sign-in code from the fragment, in both forms", () => {
    for (const hash of ["#secret-1", "#code=secret-1"]) {
      expect(readRoute({ pathname: "/signin", search: "", hash })).toEqual({ page: "signin", code: "secret-1" });
    }
    expect(readRoute({ pathname: "/", search: "", hash: "" }).page).toBe("live");
    expect(readRoute({ pathname: "/camera/nonsense", search: "", hash: "" }).page).toBe("live");
  });
});

describe("words", () => {
  const words = Object.keys(vi) as Word[];

  it("are complete in both languages", () => {
    expect(Object.keys(en).sort()).toEqual([...words].sort());
    for (const word of words) {
      expect(vi[word].trim(), word).not.toBe("");
      expect(en[word].trim(), word).not.toBe("");
    }
  });

  it("take the same values in both languages", () => {
    const values = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
    for (const word of words) expect(values(en[word]), word).toEqual(values(vi[word]));
  });

  it("are filled in, and show what was forgotten", () => {
    expect(fill("{a} {b}", { a: 1 })).toBe("1 {b}");
  });
});

describe("the installation's zone", () => {
  afterEach(() => useZone("Asia/Ho_Chi_Minh"));

  it("is that of Viet Nam, wherever the browser believes to be", () => {
    expect(momentText(Date.parse("2026-11-21T15:38:14Z"), Date.parse("2026-11-21T15:40:00Z"))).toBe("22:38:14");
    expect(momentText(Date.parse("2026-11-20T17:05:00Z"), Date.parse("2026-11-20T16:40:00Z"))).toBe("21/11/2026 00:05:00");
  });

  it("counts days of 23 and 25 hours where clocks are changed", () => {
    useZone("Europe/Berlin");
    const day = (n: number): number => moment(2026, 9, 25 + n);
    expect(day(1) - day(0)).toBe(25 * 3_600_000);
    expect(wall(day(1)).getUTCHours()).toBe(0);
    const spring = moment(2026, 2, 29);
    expect(moment(2026, 2, 30) - spring).toBe(23 * 3_600_000);
  });

  it("a zone that no browser knows is refused", () => {
    expect(() => useZone("Asia/Atlantis")).toThrow(RangeError);
  });
});
