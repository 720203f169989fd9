import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Grants, outdated } from "../src/centre/watch/device-key";
import { Keeper } from "../src/centre/watch/keeper";
import type { Given, GivenTicket, Start } from "../src/centre/watch/office";
import { type Position, wedge } from "../src/centre/watch/wedges";
import { readRoute, togetherAddress } from "../src/route";
import { Street } from "../src/street";

const HERE: Position = [106.0852, 21.0411];

describe("what a camera sees on the map", () => {
  it("is a closed sector of the length asked for, in the direction of its azimuth", () => {
    const east = wedge(HERE, 90, 60, 100);
    expect(east[0]).toEqual(HERE);
    expect(east.at(-1)).toEqual(HERE);
    const middle = east[Math.floor(east.length / 2)] ?? HERE;
    expect(middle[0]).toBeGreaterThan(HERE[0]);
    expect(middle[1]).toBeCloseTo(HERE[1], 4);
    const metres = (middle[0] - HERE[0]) * 111_320 * Math.cos((HERE[1] * Math.PI) / 180);
    expect(metres).toBeGreaterThan(99);
    expect(metres).toBeLessThan(101);
  });

  it("looks north with azimuth 0", () => {
    const north = wedge(HERE, 0, null, 100);
    expect(Math.max(...north.map((point) => point[1]))).toBeGreaterThan(HERE[1] + 0.0008);
    expect(Math.min(...north.map((point) => point[1]))).toBe(HERE[1]);
  });
});

describe("the address of several recordings at one moment", () => {
  it("leads back to the same cameras and moment", () => {
    const cameras = ["01a1ffd2-74cf-719f-8813-2b68d724c350", "01a1ffd2-74cf-719f-8813-2b68d724c351"];
    const at = Date.parse("2026-11-20T15:36:00.250Z");
    const url = new URL(togetherAddress(cameras, at), "https://centre.example");
    expect(readRoute(url)).toEqual({ page: "together", cameras, atMs: at });
  });

  it("without a moment or with what is no camera it is read all the same", () => {
    const url = new URL("https://centre.example/together?cameras=x,,01A1FFD2-74CF-719F-8813-2B68D724C350");
    expect(readRoute(url)).toEqual({ page: "together", cameras: ["01a1ffd2-74cf-719f-8813-2b68d724c350"], atMs: null });
  });

  it("that names more than nine is that of the first nine", () => {
    const cameras = Array.from({ length: 11 }, (_, n) => `01a1ffd2-74cf-719f-8813-2b68d724c3${n + 10}`);
    const read = readRoute(new URL(togetherAddress(cameras, 0), "https://centre.example"));
    expect(read).toEqual({ page: "together", cameras: cameras.slice(0, 9), atMs: 0 });
  });
});

const HOUR_S = 3600;
const NOW_S = 1_800_000_000;

function ticket(change: Partial<GivenTicket> = {}): GivenTicket {
  const named = [{ id: "c1", name: "Sân", site: "Thôn Đông", order: 1 }];
  const node = { node: "n1", address: "https://node.example", group: "n1-all" };
  return { ...node, ticket: "first", expires: NOW_S + 168 * HOUR_S, cameras: ["c1"], named, actions: ["live"], ...change };
}

describe("what a screen was granted for days", () => {
  const said: Given = { tickets: [], needs_purpose: [], issued: NOW_S + HOUR_S, ended: null };
  const grants: Grants = { atMs: NOW_S * 1000, issued: NOW_S, given: [ticket()] };
  const anHourLater = (NOW_S + HOUR_S) * 1000;

  it.each<[string, boolean, Partial<Given>, Partial<Grants>, number]>([
    ["is good for a day", false, {}, {}, anHourLater],
    ["is asked for anew after a day", true, {}, {}, (NOW_S + 24 * HOUR_S) * 1000],
    ["is asked for anew by a clock that went back a day", true, {}, {}, (NOW_S - 24 * HOUR_S) * 1000],
    ["is good after an end of before", false, { ended: NOW_S - 1 }, {}, anHourLater],
    ["is worth nothing after an end in the same second", true, { ended: NOW_S }, {}, anHourLater],
    ["is worth nothing after an end", true, { ended: NOW_S + 60 }, {}, anHourLater],
    ["is asked for anew where an earlier page did not keep when", true, { ended: 1 }, { issued: undefined }, anHourLater],
    ["is asked for anew when the right ends", true, {}, { given: [ticket({ expires: NOW_S + HOUR_S })] }, anHourLater],
    ["is good until then", false, {}, { given: [ticket({ expires: NOW_S + HOUR_S + 1 })] }, anHourLater],
  ])("%s", (_what, expected, answer, kept, nowMs) => {
    expect(outdated({ ...grants, ...kept }, { ...said, ...answer }, nowMs)).toBe(expected);
  });

  it("is asked for where there is none", () => {
    expect(outdated(null, said, anHourLater)).toBe(true);
  });
});

describe("a page whose ticket was revoked", () => {
  let tickets: GivenTicket[];
  let asked: { url: string; ticket: string | null }[];
  let revoked: Set<string>;
  let tell: (text: string) => void;

  function answer(url: string, bearer: string | null): Response {
    if (url === "/watch/tickets") return Response.json({ tickets, needs_purpose: [], issued: NOW_S });
    if (revoked.has(bearer ?? "")) return Response.json({ code: "ticket_revoked" }, { status: 401 });
    if (url.endsWith("/session")) return Response.json({ subject: "user:1", actions: ["live"], expires: "" });
    if (url.endsWith("/cameras")) return Response.json({ cameras: [{ ...ticket().named[0], enabled: true, streams: {} }] });
    const body = new ReadableStream({ start: (line) => (tell = (text) => line.enqueue(new TextEncoder().encode(text))) });
    return new Response(body);
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    tickets = [ticket()];
    asked = [];
    revoked = new Set();
    vi.stubGlobal("document", { querySelector: () => null });
    vi.stubGlobal("fetch", (input: string | URL, init: RequestInit = {}) => {
      const url = String(input);
      const shown = new Headers(init.headers).get("Authorization")?.replace("Bearer ", "") ?? null;
      asked.push({ url, ticket: shown });
      return Promise.resolve(answer(url, shown));
    });
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  async function opened(): Promise<Street> {
    const street = new Street("");
    await new Keeper({ tickets: "/watch/tickets", grants: "" } as Start, street).want("wall", { use: "live" });
    await vi.waitFor(() => expect(street.cameras).toHaveLength(1));
    await vi.waitFor(() => expect(asked.at(-1)?.url).toContain("/changes"));
    return street;
  }

  it("asks for others at once and goes on with what they allow", async () => {
    const street = await opened();
    revoked.add("first");
    asked = [];
    tell("event: signed_out\ndata: {}\n\n");
    await vi.waitFor(() => expect(street.room("n1-all")?.house.refused?.code).toBe("ticket_revoked"));
    tickets = [ticket({ ticket: "second" })];
    await vi.advanceTimersByTimeAsync(2000);
    await vi.waitFor(() => expect(street.room("n1-all")?.house.session).not.toBeNull());
    expect(asked.filter((one) => one.url === "/watch/tickets")).toHaveLength(1);
    expect(asked.at(-1)?.ticket).toBe("second");
  });

  it("asks ever more rarely where it is refused again, and shows nothing where nothing is allowed", async () => {
    const street = await opened();
    revoked.add("first");
    tell("event: signed_out\ndata: {}\n\n");
    await vi.waitFor(() => expect(street.room("n1-all")?.house.refused).not.toBeNull());
    asked = [];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.filter((one) => one.url === "/watch/tickets").length).toBeLessThan(6);
    tickets = [];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(street.cameras).toEqual([]);
  });

  it("asks for nothing while nothing is in sight, and again once something is", async () => {
    const street = new Street("");
    const keeper = new Keeper({ tickets: "/watch/tickets", grants: "" } as Start, street);
    await keeper.want("wall", { use: "live" });
    await vi.waitFor(() => expect(asked.at(-1)?.url).toContain("/changes"));
    await keeper.want("wall", null);
    // The renewal that was due finds nothing to renew, and no other is.
    await vi.advanceTimersByTimeAsync(600_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(asked.filter((one) => one.url === "/watch/tickets")).toHaveLength(1);
    await keeper.want("wall", { use: "live" });
    expect(asked.filter((one) => one.url === "/watch/tickets")).toHaveLength(2);
    keeper.close();
  });
});
