import { describe, expect, it } from "vitest";
import { EdgeControl } from "../src/live/edge";
import { readFrame } from "../src/live/frame";
import { arranged, layoutFor, moved, pageCount, swapped } from "../src/live/layout";
import { type Observation, pictureState } from "../src/live/picture-state";
import { ServerClock } from "../src/net/clock";
import type { Stream } from "../src/net/types";

const NOW = 1_800_000_000_000;

const recording: Stream = {
  state: "recording",
  since: "2026-11-21T00:00:00Z",
  reason: null,
  detail: "",
  codec: "h264",
  codec_string: "avc1.64001e",
  width: 1920,
  height: 1080,
  recorded: true,
};

function seen(change: Partial<Observation>): Observation {
  return {
    now: NOW,
    socketDownSince: null,
    server: { state: "live", reason: null, detail: "", since: NOW - 60_000 },
    stream: recording,
    kept: recording,
    shownWall: NOW - 200,
    lastAdvance: NOW - 100,
    lastBytes: NOW - 50,
    askedAt: NOW - 60_000,
    undecodable: false,
    ...change,
  };
}

describe("what a picture says about itself", () => {
  it("says that private zones are not covered yet, rather than that a right is missing", () => {
    const server = { state: "refused" as const, reason: "mask_required", detail: "", since: NOW - 1000 };
    expect(pictureState(seen({ server }))).toMatchObject({ kind: "lost", reason: "mask" });
  });

  it("is live only while pictures change and are not late", () => {
    expect(pictureState(seen({}))).toEqual({ kind: "live", lagMs: 200 });
    expect(pictureState(seen({ shownWall: NOW - 3000 }))).toEqual({ kind: "delayed", seconds: 3 });
  });

  it("never calls a frozen picture live, even while bytes arrive and the node says live", () => {
    expect(pictureState(seen({ lastAdvance: NOW - 5000 }))).toEqual({ kind: "delayed", seconds: 5 });
  });

  it("is lost when nothing arrives, whatever the node said last", () => {
    const is = pictureState(seen({ lastBytes: NOW - 11_000, shownWall: NOW - 11_200 }));
    expect(is).toEqual({ kind: "lost", since: NOW - 11_200, reason: "camera_silent", detail: "" });
  });

  it("says since when and why the node lost the camera, and keeps the node's own words", () => {
    const server = { state: "lost" as const, reason: "network", detail: "timed out after 5 s", since: NOW - 90_000 };
    const lost = { kind: "lost", since: NOW - 90_000, reason: "network", detail: "timed out after 5 s" };
    expect(pictureState(seen({ server }))).toEqual(lost);
  });

  it("says that nothing is kept while the sub-stream on the screen goes on", () => {
    const since = new Date(NOW - 90_000).toISOString();
    for (const state of ["not_recording", "lost"] as const) {
      const kept: Stream = { ...recording, state, since, reason: "disk" };
      expect(pictureState(seen({ kept }))).toEqual({ kind: "not_recording", since: NOW - 90_000, reason: "disk" });
    }
  });

  it("blames the connection to the server when that is down, and forgives a blip", () => {
    expect(pictureState(seen({ socketDownSince: NOW - 500 })).kind).toBe("live");
    expect(pictureState(seen({ socketDownSince: NOW - 4000 }))).toMatchObject({ kind: "lost", reason: "connection" });
  });

  it("shows that the disk does not take what is seen", () => {
    const stream: Stream = { ...recording, state: "not_recording", reason: "disk", since: "2026-11-21T07:00:00Z" };
    const since = Date.parse("2026-11-21T07:00:00Z");
    expect(pictureState(seen({ stream, kept: stream }))).toEqual({ kind: "not_recording", since, reason: "disk" });
  });

  it("stops saying connecting after ten seconds without a picture", () => {
    const nothing = { server: null, shownWall: null, lastAdvance: null, lastBytes: null };
    expect(pictureState(seen({ ...nothing, askedAt: NOW - 3000 })).kind).toBe("connecting");
    expect(pictureState(seen({ ...nothing, askedAt: NOW - 12_000 })).kind).toBe("lost");
  });
});

describe("keeping to the live edge", () => {
  it("jumps over the group of pictures it was given on joining", () => {
    const edge = new EdgeControl();
    const order = edge.next({ now: 1000, currentTime: 0, start: 0, end: 2 });
    expect(order.seekTo).toBeGreaterThan(1.9);
  });

  it("plays a lasting surplus away a little faster than time, then returns to it", () => {
    const edge = new EdgeControl();
    let rate = 1;
    for (let i = 0; i < 40; i += 1) {
      rate = edge.next({ now: 5000 + i * 100, currentTime: i * 0.1, start: 0, end: i * 0.1 + 0.28 }).rate;
    }
    expect(rate).toBeGreaterThan(1);
    expect(rate).toBeLessThanOrEqual(1.12);
    for (let i = 0; i < 40; i += 1) {
      rate = edge.next({ now: 9000 + i * 100, currentTime: i * 0.1, start: 0, end: i * 0.1 + 0.04 }).rate;
    }
    expect(rate).toBe(1);
  });

  it("wants more in hand each time it starved, within a bound", () => {
    const edge = new EdgeControl();
    const before = edge.target;
    for (let i = 0; i < 100; i += 1) edge.starved();
    expect(edge.target).toBeGreaterThan(before);
    expect(edge.target).toBeLessThanOrEqual(0.6);
  });

  it("crosses a hole in the buffer", () => {
    const edge = new EdgeControl();
    expect(edge.next({ now: 9000, currentTime: 4, start: 6, end: 6.1 }).seekTo).toBeGreaterThanOrEqual(6);
  });
});

describe("messages of the live connection", () => {
  it("reads view, kind and wall time of a fragment", () => {
    const data = new ArrayBuffer(15);
    const view = new DataView(data);
    view.setUint8(0, 1);
    view.setUint8(1, 2);
    view.setUint16(2, 300);
    view.setBigInt64(4, 1_800_000_000_123_456_789n);
    const frame = readFrame(data);
    expect(frame).toMatchObject({ kind: "keyframe", view: 300 });
    expect(frame?.wallMs).toBeCloseTo(1_800_000_000_123.456, 2);
    expect(frame?.payload.byteLength).toBe(3);
  });

  it("ignores other versions and stumps", () => {
    expect(readFrame(new ArrayBuffer(4))).toBeNull();
    expect(readFrame(new ArrayBuffer(20))).toBeNull();
  });
});

describe("the node's clock", () => {
  it("trusts the reading that was least delayed", () => {
    let local = 1000;
    const clock = new ServerClock(() => local);
    clock.reading(5000 - 80);
    clock.reading(5000 - 10);
    clock.reading(5000 - 300);
    local += 500;
    expect(clock.now()).toBe(5490);
  });
});

describe("the wall's layout", () => {
  it("takes the smallest grid that shows all", () => {
    expect([1, 3, 9, 10, 25, 60].map(layoutFor)).toEqual([1, 4, 9, 16, 25, 25]);
    expect(pageCount(60, 25)).toBe(3);
  });

  it("keeps the remembered order and puts new cameras behind", () => {
    const items = ["a", "b", "c"].map((id) => ({ id }));
    expect(arranged(items, ["c", "x", "a"]).map((i) => i.id)).toEqual(["c", "a", "b"]);
    expect(swapped(["a", "b", "c"], "a", "c")).toEqual(["c", "b", "a"]);
  });

  it("moves by arrow keys and stays inside", () => {
    expect(moved(0, "ArrowRight", 3, 5)).toBe(1);
    expect(moved(2, "ArrowRight", 3, 5)).toBe(2);
    expect(moved(2, "ArrowDown", 3, 5)).toBe(2);
    expect(moved(4, "ArrowUp", 3, 5)).toBe(1);
  });
});
