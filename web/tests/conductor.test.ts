import { describe, expect, it } from "vitest";
import { Conductor, type Voice } from "../src/playback/conductor";
import type { DeckState } from "../src/playback/deck";

class Fake implements Voice {
  state: DeckState = "ready";
  isPlaying = false;
  speed = 1;
  sought: number[] = [];
  constructor(public at: number | null) {}
  wall(): number | null {
    return this.at;
  }
  play(): Promise<void> {
    this.isPlaying = true;
    return Promise.resolve();
  }
  pause(): void {
    this.isPlaying = false;
  }
  rate(speed: number): void {
    this.speed = speed;
  }
  seek(ms: number): Promise<void> {
    this.sought.push(ms);
    this.at = ms;
    return Promise.resolve();
  }
}

const END = 1e12;

function playing(...voices: Fake[]): { conductor: Conductor; pass: (ms: number) => void } {
  let now = 0;
  const conductor = new Conductor(10_000, () => voices, () => now);
  conductor.play(true);
  return {
    conductor,
    pass: (ms) => {
      now += ms;
      conductor.tick(END);
    },
  };
}

describe("several recordings at one moment", () => {
  it("the clock runs at the chosen speed and starts every player", () => {
    const [a, b] = [new Fake(10_000), new Fake(10_000)];
    const { conductor, pass } = playing(a, b);
    conductor.speed = 4;
    pass(250);
    expect(conductor.at).toBe(11_000);
    expect(a.isPlaying && b.isPlaying).toBe(true);
  });

  it("one that is a little late runs faster, one a little early slower", () => {
    const [late, early] = [new Fake(9800), new Fake(10_400)];
    playing(late, early).pass(100);
    expect(late.speed).toBeGreaterThan(1);
    expect(early.speed).toBeLessThan(1);
    expect(late.sought).toEqual([]);
  });

  it("one that is far behind is brought to the moment", () => {
    const behind = new Fake(5000);
    playing(behind).pass(100);
    expect(behind.sought).toEqual([10_100]);
  });

  it("one that jumped over a gap waits until the others are there", () => {
    const ahead = new Fake(12_000);
    const { pass } = playing(ahead);
    ahead.isPlaying = true;
    pass(100);
    expect(ahead.isPlaying).toBe(false);
    pass(1500);
    expect(ahead.isPlaying).toBe(true);
    expect(ahead.sought).toEqual([]);
  });

  it("the clock waits for one that is fetching, but not for ever", () => {
    const slow = new Fake(null);
    slow.state = "seeking";
    const { conductor, pass } = playing(slow);
    pass(1000);
    expect(conductor.at).toBe(10_000);
    pass(5000);
    expect(conductor.at).toBeGreaterThan(10_000);
  });

  it("where nothing was recorded is looked at again now and then", () => {
    const empty = new Fake(null);
    empty.state = "no_footage";
    empty.seek = (ms) => {
      empty.sought.push(ms);
      return Promise.resolve();
    };
    const { pass } = playing(empty);
    for (let i = 0; i < 10; i += 1) pass(500);
    expect(empty.sought.length).toBe(2);
  });
});
