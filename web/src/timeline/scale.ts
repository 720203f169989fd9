/** Which moment lies at which pixel of the timeline. */

import { moment, wall } from "../time/zone";

export const SHORTEST_MS = 60_000;
export const LONGEST_MS = 32 * 86_400_000;

export interface Scale {
  /** Moment at the left edge, ms. */
  fromMs: number;
  /** Length shown, ms. */
  spanMs: number;
  width: number;
}

export function toX(scale: Scale, ms: number): number {
  return ((ms - scale.fromMs) / scale.spanMs) * scale.width;
}

export function toMs(scale: Scale, x: number): number {
  return scale.fromMs + (x / scale.width) * scale.spanMs;
}

/** Zooms by `factor` (> 1 shows less) and keeps the moment under `x` where it is. */
export function zoomed(scale: Scale, factor: number, x: number): Scale {
  const spanMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, scale.spanMs / factor));
  const fixed = toMs(scale, x);
  return { ...scale, spanMs, fromMs: fixed - (x / scale.width) * spanMs };
}

/** Moves so that `ms` lies at the share `at` (0 to 1) of the width. */
export function centred(scale: Scale, ms: number, at = 0.5): Scale {
  return { ...scale, fromMs: ms - at * scale.spanMs };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
];

/** Distance of labelled ticks such that labels of `labelWidth` pixels do not touch. */
export function tickStep(scale: Scale, labelWidth: number): number {
  const least = (labelWidth / scale.width) * scale.spanMs;
  return STEPS.find((step) => step >= least) ?? 7 * DAY;
}

/** Ticks at round times of the installation's zone; days begin at its midnight, also when the clocks change. */
export function ticks(scale: Scale, step: number): number[] {
  const found: number[] = [];
  const end = scale.fromMs + scale.spanMs;
  const first = wall(scale.fromMs);
  const midnight = (day: number): number => moment(first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate() + day);
  if (step >= DAY) {
    const days = Math.round(step / DAY);
    for (let day = 0; midnight(day) <= end; day += days) found.push(midnight(day));
  } else {
    let at = midnight(0) + Math.floor((scale.fromMs - midnight(0)) / step) * step;
    for (; at <= end; at += step) found.push(at);
  }
  return found.filter((ms) => ms >= scale.fromMs);
}
