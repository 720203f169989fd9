/** Requests to the centre: tickets for the nodes. */

import { Problem, problemOf } from "../../net/problem";
import type { Action } from "../../net/types";
import type { Named } from "../../street";

export interface GivenTicket {
  group: string;
  node: string;
  address: string;
  ticket: string;
  /** Seconds since 1970. */
  expires: number;
  cameras: string[];
  named: Named[];
  actions: Action[];
}

export interface Given {
  tickets: GivenTicket[];
  needs_purpose: string[];
  /** When, by the centre's clock: seconds since 1970, as is what follows. */
  issued: number;
  /** Told to paired screens: nothing counts that was issued up to then. Null: nothing has ended lately. */
  ended?: number | null;
}

export interface TicketWish {
  use: "live" | "past" | "take";
  cameras?: readonly string[];
  purpose?: string;
  from_ms?: number;
  to_ms?: number;
}

/** What the page was told by the server that made it. */
export interface Start {
  tickets: string;
  cameras: string;
  layouts: string;
  /** Of a paired screen, which keeps its wall by them while the centre is away; empty for people. */
  grants: string;
  /** Empty for those who may not keep any. */
  bookmarks: string;
  /** Whether several cameras may be looked back at side by side. */
  side_by_side: boolean;
  /** Where a camera is added; empty for those who may not. */
  add: string;
  /** Of the map's page. */
  map: string;
  /** The operator's own map; empty without one. */
  tiles: string;
  viewer: string;
}

export function readStart(): Start {
  return JSON.parse(document.getElementById("start")?.textContent ?? "{}") as Start;
}

export async function askCentre<T>(address: string, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  headers.set("Accept", "application/json");
  if (init.method && init.method !== "GET") {
    headers.set("X-CSRFToken", document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "");
  }
  let response: Response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...init, headers });
  } catch {
    throw new Problem("unreachable", 0, "");
  }
  // Who is signed out is led to the sign-in page: what comes is a page then, and so it goes for this one.
  if (response.redirected || response.status === 401) {
    location.reload();
    throw new Problem("ticket_expired", 401, "");
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    // Something is to be done first, such as to accept a new regulation.
    const { see } = problem.body;
    if (response.status === 403 && typeof see === "string") {
      location.assign(`${see}?${new URLSearchParams({ next: location.pathname + location.search }).toString()}`);
    }
    throw problem;
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export function post<T>(address: string, body: unknown): Promise<T> {
  return askCentre(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}
