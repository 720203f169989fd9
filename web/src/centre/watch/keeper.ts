/** Keeps the tickets of a street good: fetches them, renews them while the page is open, opens the doors with them. */

import { House } from "../../house";
import type { Door } from "../../net/client";
import { asProblem, Problem } from "../../net/problem";
import type { Room, Street } from "../../street";
import { DeviceKey } from "./device-key";
import { type Given, type GivenTicket, post, type Start, type TicketWish } from "./office";

const RETRY_MS = 3000;
/** A new ticket is fetched when this part of the old one's life is over. */
const RENEW_AT = 0.6;
const SOONEST_MS = 2000;
/** A node that refuses its tickets is asked ever more rarely. */
const LONGEST_REST_MS = 60_000;

/** The centre itself is not there, or what stands before it says so. */
function away(problem: Problem): boolean {
  return problem.code === "unreachable" || (problem.status >= 502 && problem.status <= 504);
}

class TicketDoor implements Door {
  constructor(
    private readonly start: Start,
    public given: GivenTicket,
    private readonly purpose: () => string,
  ) {}

  get base(): string {
    return this.given.address;
  }

  ticket(): string {
    return this.given.ticket;
  }

  async toTake(camera: string, fromMs: number, toMs: number): Promise<string> {
    const wish: TicketWish = {
      use: "take",
      cameras: [camera],
      purpose: this.purpose(),
      // Rounded as the node is asked: the longest stretch it gives must not come out a moment longer here.
      from_ms: Math.round(fromMs),
      to_ms: Math.round(toMs),
    };
    const [taken] = (await post<Given>(this.start.tickets, wish)).tickets;
    if (!taken) throw new Problem("action_not_allowed", 403, "");
    return taken.ticket;
  }
}

interface Kept {
  wish: TicketWish;
  doors: Map<string, TicketDoor>;
  rooms: Room[];
}

/** Events: `purpose` (whether a purpose is wanted has changed). */
export class Keeper extends EventTarget {
  /** Cameras whose past is shown only once it was said what for. */
  needsPurpose: readonly string[] = [];
  private kept = new Map<string, Kept>();
  private timer = 0;
  private purpose = "";
  private refusals = 0;
  private readonly device: DeviceKey | null;

  constructor(
    private readonly start: Start,
    private readonly street: Street,
  ) {
    super();
    this.device = start.grants && DeviceKey.possible ? new DeviceKey(start.grants) : null;
    street.addEventListener("session", () => this.soon());
  }

  /** What is wanted under a name, such as the wall's or the player's; null: nothing any more. */
  async want(name: string, wish: TicketWish | null): Promise<void> {
    if (wish === null) {
      this.kept.delete(name);
      this.needsPurpose = [];
      this.settle();
      return;
    }
    this.purpose = wish.purpose ?? "";
    const before = this.kept.get(name);
    this.kept.set(name, { wish, doors: before?.doors ?? new Map<string, TicketDoor>(), rooms: before?.rooms ?? [] });
    await this.fetch();
  }

  close(): void {
    clearTimeout(this.timer);
    this.street.leave();
  }

  private soon(): void {
    clearTimeout(this.timer);
    const rest = Math.min(LONGEST_REST_MS, SOONEST_MS * 2 ** this.refusals);
    this.refusals += 1;
    this.timer = setTimeout(() => void this.fetch(), rest);
  }

  /** Into the node; one that does not answer is tried again for as long as its pictures are wanted. */
  private async enter(house: House): Promise<void> {
    const entered = await house.check();
    if (entered) {
      this.refusals = 0;
      await house.start();
    } else if (entered === null) {
      setTimeout(() => {
        const wanted = [...this.kept.values()].some((kept) => kept.rooms.some((room) => room.house === house));
        if (wanted) void this.enter(house);
      }, RETRY_MS);
    }
  }

  private async fetch(): Promise<void> {
    clearTimeout(this.timer);
    let next = Infinity;
    let said: Given | null = null;
    try {
      for (const kept of this.kept.values()) {
        const given = await post<Given>(this.start.tickets, kept.wish);
        said = given;
        this.take(kept, given);
        const ends = Math.min(...given.tickets.map((one) => one.expires * 1000), Date.now() + 600_000);
        next = Math.min(next, (ends - Date.now()) * RENEW_AT);
      }
      this.settle();
      if (said) void this.device?.keep(said);
    } catch (reason) {
      const problem = asProblem(reason);
      if (problem.status === 401) void this.device?.forget();
      next = away(problem) ? await this.withoutCentre() : 0;
      if (!next) {
        this.street.trouble = problem;
        this.street.dispatchEvent(new Event("cameras"));
        next = RETRY_MS;
      }
    }
    // Nothing is wanted: whoever wants something fetches. (No timer lasts so long: it would run out at once.)
    if (next === Infinity) return;
    this.timer = setTimeout(() => void this.fetch(), Math.max(SOONEST_MS, next));
  }

  /** A paired screen goes on with tickets of the nodes' own. In how many ms others are due; 0: there are none. */
  private async withoutCentre(): Promise<number> {
    const tickets = (await this.device?.tickets().catch(() => [])) ?? [];
    if (!tickets.length) return 0;
    for (const kept of this.kept.values()) {
      if (kept.wish.use !== "live") continue;
      const before = kept.rooms;
      this.take(kept, { tickets, needs_purpose: [] });
      // A node that does not answer either may have a ticket that lasts a while yet.
      const left = before.filter((old) => !kept.rooms.some((room) => room.key === old.key));
      kept.rooms = [...kept.rooms, ...left];
    }
    this.settle();
    return (Math.min(...tickets.map((one) => one.expires * 1000)) - Date.now()) * RENEW_AT;
  }

  private take(kept: Kept, given: Pick<Given, "tickets" | "needs_purpose">): void {
    const rooms: Room[] = [];
    for (const one of given.tickets) {
      const door = kept.doors.get(one.group) ?? new TicketDoor(this.start, one, () => this.purpose);
      const old = kept.rooms.find((room) => room.key === one.group);
      door.given = one;
      kept.doors.set(one.group, door);
      const house = old?.house ?? new House(door, this.street.viewer);
      rooms.push({ key: one.group, cameras: one.cameras, named: one.named, house });
      if (old && house.session) house.renewed(one.cameras.join() !== old.cameras.join());
      else if (!old || house.refused) void this.enter(house);
    }
    kept.rooms = rooms;
    if (kept.wish.use === "past" && String(given.needs_purpose) !== String(this.needsPurpose)) {
      this.needsPurpose = given.needs_purpose;
      this.dispatchEvent(new Event("purpose"));
    }
  }

  private settle(): void {
    this.street.settle([...this.kept.values()].flatMap((kept) => kept.rooms));
  }
}
