import { describe, expect, it } from "vitest";
import { entryKey, readPlaylist } from "../src/playback/playlist";
import { Reel } from "../src/playback/reel";
import { mimeOf } from "../src/playback/strip";

const PLAYLIST = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="segments/a.mp4",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T07:00:00.000500Z
#EXTINF:2.000000,
#EXT-X-BYTERANGE:5000@700
segments/a.mp4
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T07:00:01.980Z
#EXTINF:2.000000,
#EXT-X-BYTERANGE:6000
segments/a.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="segments/b.mp4",BYTERANGE="710@0"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T07:05:00Z
#EXTINF:2.000000,
#EXT-X-BYTERANGE:4000@710
segments/b.mp4
#EXT-X-ENDLIST
`;

const BASE = "http://node.test/api/v1/cameras/x/main/index.m3u8?from=a";

describe("reading a playlist", () => {
  const { entries, ended } = readPlaylist(PLAYLIST, BASE);

  it("gives byte ranges, also those that follow on, and full addresses", () => {
    expect(ended).toBe(true);
    expect(entries.map((e) => e.range)).toEqual([
      { offset: 700, length: 5000 },
      { offset: 5700, length: 6000 },
      { offset: 710, length: 4000 },
    ]);
    expect(entries[0]?.url).toBe("http://node.test/api/v1/cameras/x/main/segments/a.mp4");
    expect(new Set(entries.map(entryKey)).size).toBe(3);
  });

  it("keeps wall times finer than a millisecond and ends where the next begins", () => {
    expect(entries[0]?.wallMs).toBe(Date.parse("2026-11-21T07:00:00Z") + 0.5);
    expect(entries[0]?.wallEndMs).toBe(entries[1]?.wallMs);
  });

  it("does not stretch the last picture of a run over the gap", () => {
    expect(entries[1]?.wallEndMs).toBe(Date.parse("2026-11-21T07:00:03.980Z"));
    expect(entries[2]?.run).toBe(1);
    expect(entries[2]?.map?.range).toEqual({ offset: 0, length: 710 });
  });
});

function reel(): Reel {
  const made = new Reel();
  const pictures = (from: number) => [0, 0.04, 0.08, 0.12].map((t) => from + t);
  made.add({ key: "a", mediaStart: 100, mediaEnd: 100.16, wallStart: 1000, wallEnd: 1160, pictures: pictures(100) });
  made.add({ key: "b", mediaStart: 100.16, mediaEnd: 100.32, wallStart: 61_000, wallEnd: 61_160, pictures: pictures(100.16) });
  return made;
}

describe("the reel", () => {
  it("tells the moment on both sides of a gap", () => {
    expect(reel().wallAt(100.1)).toBeCloseTo(1100);
    expect(reel().wallAt(100.2)).toBeCloseTo(61_040);
  });

  it("shows the newest picture that has begun", () => {
    expect(reel().pictureAtWall(1079)?.media).toBeCloseTo(100.04);
    expect(reel().pictureAtWall(1080)?.media).toBeCloseTo(100.08);
    expect(reel().pictureAtWall(30_000)).toBeNull();
  });

  it("steps by exactly one picture, over the gap too, and ends at its ends", () => {
    expect(reel().step(100.122, 1)?.wallMs).toBeCloseTo(61_000);
    expect(reel().step(100.162, -1)?.media).toBeCloseTo(100.12);
    expect(reel().step(100, -1)).toBeNull();
    expect(reel().step(100.29, 1)).toBeNull();
  });

  it("forgets whole pieces only", () => {
    const made = reel();
    expect(made.endBefore(100.2)).toBeCloseTo(100.16);
    expect(made.endBefore(100.1)).toBeNull();
    made.dropBefore(100.17);
    expect(made.first?.key).toBe("b");
  });
});

describe("the type of an initialisation segment", () => {
  const bytes = (name: string, rest: number[]) =>
    Uint8Array.from([0, 0, 0, 0, ...Array.from(name).map((c) => c.charCodeAt(0)), ...rest]).buffer;

  it("names H.264 by profile and level", () => {
    expect(mimeOf(bytes("avcC", [1, 0x64, 0x00, 0x1f]))).toBe('video/mp4; codecs="avc1.64001f"');
  });

  it("names H.265 by profile, compatibility, tier, level and constraints", () => {
    const hvcc = [1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0];
    expect(mimeOf(bytes("hvcC", hvcc))).toBe('video/mp4; codecs="hvc1.1.6.L93.90"');
  });

  it("refuses what is neither", () => {
    expect(() => mimeOf(bytes("mp4v", []))).toThrow();
  });
});
