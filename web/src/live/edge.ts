/** Keeps a live picture close to the newest data without letting it starve. */

export interface EdgeReading {
  /** Monotonic clock, ms. */
  now: number;
  currentTime: number;
  /** The newest buffered stretch, before the next fragment is added, seconds of media time. */
  start: number;
  end: number;
}

export interface EdgeOrder {
  rate: number;
  seekTo: number | null;
}

const LEAST = 0.03;
/** More cushion than this only makes the picture late: a machine that is overloaded drops pictures all the same. */
const MOST = 0.4;
const WINDOW = 24;
/** Further behind than this is not caught up by playing faster. */
const JUMP = 1.5;
/** Just after joining the surplus is a whole group of pictures: it is jumped over at once. */
const JUMP_WHEN_NEW = 0.3;
const NEW_MS = 1500;
const JUMP_PAUSE_MS = 350;

/**
 * `slack` is what is still unplayed when the next fragment comes. The smallest slack of the last
 * seconds is pure delay; it is played away a little faster than time. Each time the picture starves
 * the wanted slack grows, and it shrinks again slowly while all is well.
 */
export class EdgeControl {
  private slacks: number[] = [];
  private wanted = LEAST;
  private lastNow = 0;
  private newUntil: number | null = null;
  private lastJump = -Infinity;

  get target(): number {
    return this.wanted;
  }

  starved(): void {
    this.wanted = Math.min(MOST, this.wanted * 1.4 + 0.015);
    this.slacks = [];
  }

  /** Forget what was measured: a new run, a jump, a tab that was asleep. */
  reset(): void {
    this.slacks = [];
    this.newUntil = null;
  }

  next(reading: EdgeReading): EdgeOrder {
    const seconds = Math.min(1, Math.max(0, (reading.now - this.lastNow) / 1000));
    this.lastNow = reading.now;
    this.wanted = Math.max(LEAST, this.wanted * (1 - 0.02 * seconds));

    const slack = reading.end - reading.currentTime;
    this.newUntil ??= reading.now + NEW_MS;
    const isNew = reading.now < this.newUntil;
    const late = slack > (isNew ? JUMP_WHEN_NEW : JUMP) + this.wanted;
    const outside = reading.currentTime < reading.start - 0.001;
    if (outside || (late && reading.now - this.lastJump > JUMP_PAUSE_MS)) {
      this.slacks = [];
      this.lastJump = reading.now;
      return { rate: 1, seekTo: Math.max(reading.start, reading.end - this.wanted) };
    }
    this.slacks.push(slack);
    if (this.slacks.length > WINDOW) this.slacks.shift();
    const surplus = Math.min(...this.slacks) - this.wanted;
    if (this.slacks.length < 4 && surplus < 0.4) return { rate: 1, seekTo: null };
    // A step of 1 % is left alone: changing the rate costs more than it wins.
    const rate = surplus > 0.03 ? 1 + Math.min(0.12, 0.03 + surplus * 0.3) : 1;
    return { rate: Math.round(rate * 50) / 50, seekTo: null };
  }
}
