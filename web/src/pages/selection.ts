/** The stretch that is to be exported, as it is marked on the player page. */

import type { Stretch } from "../timeline/coverage";

/** Length of a stretch of which only one end was said. */
export const SELECT_MS = 30_000;

/** One end lies at `at` now; the other stays, unless it would come before its start. */
export function marked(was: Stretch | null, end: "from" | "to", at: number, nowMs: number): Stretch {
  // The picture that is shown belongs to the clip: the end lies just behind it.
  const point = end === "from" ? Math.round(at) : Math.round(at) + 1;
  let from = end === "from" ? point : (was?.from ?? point - SELECT_MS);
  let to = end === "to" ? point : (was?.to ?? point + SELECT_MS);
  if (to <= from) {
    if (end === "from") to = from + SELECT_MS;
    else from = to - SELECT_MS;
  }
  to = Math.min(to, Math.floor(nowMs));
  // Begun at the live edge there is nothing after it yet: what has just been seen is meant.
  if (to <= from) from = to - SELECT_MS;
  return { from, to };
}

/** A first proposal around the moment on the screen. */
export function proposed(at: number, nowMs: number): Stretch {
  return { from: Math.round(at - SELECT_MS / 2), to: Math.round(Math.min(nowMs, at + SELECT_MS / 2)) };
}
