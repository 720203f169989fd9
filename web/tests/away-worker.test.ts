import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const WORKER = "../src/centre/away-worker.mjs";
const NEVER = new Promise<Response>(() => undefined);

type Asked = (address: unknown) => Promise<Response>;

/** What the worker answers a browser that opens a page, where the network answers like `network`. */
async function opened(network: Asked): Promise<{ answer: Promise<Response> }> {
  const told = new Map<string, (event: object) => void>();
  vi.stubGlobal("self", { addEventListener: (name: string, run: (event: object) => void) => told.set(name, run) });
  vi.stubGlobal("caches", { match: () => Promise.resolve(new Response("away")) });
  vi.stubGlobal("fetch", network);
  // What the build puts in front.
  vi.stubGlobal("PAGE", "/static/away.html");
  vi.stubGlobal("FILES", []);
  vi.stubGlobal("VERSION", "1");
  vi.resetModules();
  await import(WORKER);
  const request = { method: "GET", mode: "navigate", destination: "document" };
  // In an object, since the answer itself would be waited for.
  return { answer: new Promise((resolve) => told.get("fetch")?.({ request, respondWith: resolve })) };
}

describe("the worker that shows a page while the centre is out of reach", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("waits for a page that takes long as long as the centre answers", async () => {
    const late = new Promise<Response>((resolve) => setTimeout(resolve, 100_000, new Response("a long report")));
    const { answer } = await opened((address) => (address === "/well/" ? Promise.resolve(new Response(null, { status: 204 })) : late));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(await (await answer).text()).toBe("a long report");
  });

  it("gives up a centre that takes what is asked and says nothing", async () => {
    const refused = () => new Promise<Response>((_, refuse) => setTimeout(refuse, 8000));
    const { answer } = await opened((address) => (address === "/well/" ? refused() : NEVER));
    await vi.advanceTimersByTimeAsync(38_000);
    expect(await (await answer).text()).toBe("away");
  });

  it("gives up a centre for which a proxy answers", async () => {
    const { answer } = await opened((address) => (address === "/well/" ? Promise.resolve(new Response(null, { status: 502 })) : NEVER));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await (await answer).text()).toBe("away");
  });

  it("shows a page that comes while it asks whether the centre answers", async () => {
    const late = new Promise<Response>((resolve) => setTimeout(resolve, 31_000, new Response("a page")));
    const { answer } = await opened((address) => (address === "/well/" ? NEVER : late));
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await (await answer).text()).toBe("a page");
  });
});
