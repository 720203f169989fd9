import { beforeEach, describe, expect, it, vi } from "vitest";
import { follow, go } from "../src/route";

/** As Safari counts: more than 100 changes within 30 seconds are an error. */
class StrictHistory {
  readonly changes: { at: number; address: string }[] = [];
  replaceState(_state: unknown, _title: string, address: string): void {
    const now = performance.now();
    if (this.changes.filter(({ at }) => now - at < 30_000).length >= 100) throw new Error("SecurityError");
    this.changes.push({ at: now, address });
  }
  pushState(state: unknown, title: string, address: string): void {
    this.replaceState(state, title, address);
  }
  get address(): string | undefined {
    return this.changes.at(-1)?.address;
  }
}

describe("the address of a page", () => {
  let strict: StrictHistory;
  // The clock goes on from test to test, as it does in a page.
  let elapsed = 0;

  beforeEach(() => {
    vi.useFakeTimers();
    elapsed += 200_000;
    vi.advanceTimersByTime(elapsed);
    strict = new StrictHistory();
    vi.stubGlobal("history", strict);
    vi.stubGlobal("location", { pathname: "/camera/a" });
    vi.stubGlobal("dispatchEvent", () => true);
  });

  it("follows a drag of a minute without the browser refusing, and is right when that ends", () => {
    for (let i = 0; i <= 3600; i += 1) {
      follow(`/camera/a?at=${i}`);
      vi.advanceTimersByTime(16);
    }
    vi.advanceTimersByTime(1000);
    expect(strict.address).toBe("/camera/a?at=3600");
  });

  it("is written at once as long as it changes seldom", () => {
    follow("/camera/a?at=1");
    expect(strict.address).toBe("/camera/a?at=1");
  });

  it("is not taken back to a page that was left", () => {
    for (let i = 0; i < 50; i += 1) follow(`/camera/a?at=${i}`);
    go("/live");
    vi.advanceTimersByTime(5000);
    expect(strict.address).toBe("/live");
  });
});
