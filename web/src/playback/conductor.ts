/** Keeps several recordings at one moment: one clock leads, each player follows it. */

import type { DeckState } from "./deck";

/** What the conductor needs of a player; `Deck` is one. */
export interface Voice {
  readonly state: DeckState;
  readonly isPlaying: boolean;
  wall(): number | null;
  play(): Promise<void>;
  pause(): void;
  rate(speed: number): void;
  seek(ms: number): Promise<void>;
}

/** Further off than this a player is brought to the moment anew, ms. */
const FAR_MS = 1200;
/** Nearer than this nobody sees a difference. */
const NEAR_MS = 40;
/** How long the clock waits for players that are still fetching. */
const PATIENCE_MS = 5000;
/** Where nothing was recorded is looked at again this often. */
const LOOK_AGAIN_MS = 4000;
const STRONGEST = 0.25;

export class Conductor {
  /** The moment, ms since 1970. */
  at: number;
  playing = false;
  speed = 1;
  private last: number;
  private waitedMs = 0;
  private looked = new Map<Voice, number>();

  constructor(
    at: number,
    private readonly voices: () => readonly Voice[],
    private readonly localNow: () => number = () => performance.now(),
  ) {
    this.at = at;
    this.last = localNow();
  }

  async seek(ms: number): Promise<void> {
    this.at = ms;
    this.waitedMs = 0;
    this.looked.clear();
    await Promise.all(this.voices().map((voice) => voice.seek(ms)));
  }

  play(playing: boolean): void {
    this.playing = playing;
    this.last = this.localNow();
    for (const voice of this.voices()) {
      if (!playing) voice.pause();
    }
    // Paused, all show the same moment.
    if (!playing) void this.seek(this.at);
  }

  /** A player is ahead of the clock, because nothing was recorded in between: it waits. */
  isAhead(voice: Voice): boolean {
    const wall = voice.wall();
    return wall !== null && wall - this.at > FAR_MS;
  }

  /** Called several times a second. */
  tick(endMs: number): void {
    const now = this.localNow();
    const passed = now - this.last;
    this.last = now;
    if (!this.playing) return;
    const fetching = this.voices().some((voice) => voice.state === "seeking");
    this.waitedMs = fetching ? this.waitedMs + passed : 0;
    if (!fetching || this.waitedMs > PATIENCE_MS) this.at = Math.min(endMs, this.at + passed * this.speed);
    for (const voice of this.voices()) this.follow(voice, now);
  }

  private follow(voice: Voice, now: number): void {
    if (voice.state === "seeking") return;
    const wall = voice.wall();
    if (wall === null) {
      this.lookAgain(voice, now);
      return;
    }
    const late = this.at - wall;
    if (late < -FAR_MS) {
      if (voice.isPlaying) voice.pause();
      return;
    }
    if (late > FAR_MS) {
      this.lookAgain(voice, now, FAR_MS);
      return;
    }
    const correction = Math.abs(late) < NEAR_MS ? 0 : Math.max(-STRONGEST, Math.min(STRONGEST, late / 2000));
    voice.rate(this.speed * (1 + correction));
    if (!voice.isPlaying) void voice.play();
  }

  private lookAgain(voice: Voice, now: number, restMs = LOOK_AGAIN_MS): void {
    const before = this.looked.get(voice);
    if (before !== undefined && now - before < restMs) return;
    this.looked.set(voice, now);
    void voice.seek(this.at).then(() => {
      if (this.playing && voice.state === "ready" && !this.isAhead(voice)) void voice.play();
    });
  }
}
