/** The node's clock, as well as a page can know it. */

const KEPT = 15;

/**
 * A message needs time to arrive, so every reading of the node's clock is late by an unknown delay.
 * The reading with the least delay is the one with the greatest difference; old ones are forgotten so
 * that a step of either clock is followed.
 */
export class ServerClock {
  private differences: number[] = [];

  constructor(private readonly localNow: () => number = () => Date.now()) {}

  get known(): boolean {
    return this.differences.length > 0;
  }

  /** A reading of the node's clock (ms since 1970) that has just arrived. */
  reading(serverMs: number): void {
    this.differences.push(serverMs - this.localNow());
    if (this.differences.length > KEPT) this.differences.shift();
  }

  /** ms since 1970 on the node; the browser's own clock until a reading came. */
  now(): number {
    const offset = this.differences.length ? Math.max(...this.differences) : 0;
    return this.localNow() + offset;
  }
}
