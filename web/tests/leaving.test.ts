import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const ORIGIN = "https://xa.vn";
const MINUTE_MS = 60_000;

type Answer = (address: string, status: number) => void;

/** A tab with a page of somebody signed in; what it returns tells the page of an answer to what it asked for. */
async function tab(): Promise<Answer> {
  let observed: (list: unknown) => void = () => undefined;
  vi.stubGlobal(
    "PerformanceObserver",
    class {
      constructor(heard: typeof observed) {
        observed = heard;
      }
      observe = vi.fn();
    },
  );
  vi.resetModules();
  await import("../src/centre/leaving");
  return (address, status) => observed({ getEntries: () => [{ name: address, responseStatus: status }] });
}

describe("a page of a session that nothing is asked of", () => {
  let gone: ReturnType<typeof vi.fn>;

  beforeEach(() => {
    vi.useFakeTimers();
    gone = vi.fn();
    const kept = new Map<string, string>();
    vi.stubGlobal("document", {
      addEventListener: () => undefined,
      body: { replaceChildren: gone },
      documentElement: { dataset: { signedIn: "" } },
    });
    vi.stubGlobal("window", { addEventListener: () => undefined });
    vi.stubGlobal("location", { origin: ORIGIN, pathname: "/people/", replace: () => undefined });
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
    });
    vi.stubGlobal(
      "BroadcastChannel",
      class {
        addEventListener = vi.fn();
      },
    );
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it.each<[string, boolean, string, number]>([
    ["stays after an answer of the centre", false, `${ORIGIN}/people/?page=2`, 200],
    ["stays after a refusal by the centre", false, `${ORIGIN}/people/1/`, 404],
    ["is emptied where a proxy says that the centre is away", true, `${ORIGIN}/people/`, 502],
    ["is emptied where nobody answers", true, `${ORIGIN}/people/`, 0],
    ["is emptied where only another port of the same machine answers", true, `${ORIGIN}:8460/api/v1/live`, 200],
  ])("%s", async (_what, emptied, address, status) => {
    const answer = await tab();
    await vi.advanceTimersByTimeAsync(60 * MINUTE_MS);
    answer(address, status);
    await vi.advanceTimersByTimeAsync(6 * MINUTE_MS);
    expect(gone.mock.calls.length > 0).toBe(emptied);
  });

  it("stays while somebody works in another tab, and is emptied once nobody does", async () => {
    await tab();
    const other = await tab();
    for (let minute = 0; minute < 120; minute += 10) {
      await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
      other(`${ORIGIN}/live`, 200);
    }
    expect(gone).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(66 * MINUTE_MS);
    expect(gone).toHaveBeenCalled();
  });
});
