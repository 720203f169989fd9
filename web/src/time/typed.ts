/** Reads a moment as people type it: in the installation's zone. */

import { moment, wall } from "./zone";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  g: 1000,
  m: 60_000,
  p: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  n: 86_400_000,
};

const CLOCK = /^(\d{1,2})[:h.](\d{2})(?:[:m.](\d{2})(?:[.,](\d{1,3}))?)?$/;
const DATE = /^(\d{1,2})[/-](\d{1,2})(?:[/-](\d{4}))?$/;
const RELATIVE = /^-\s*(\d+(?:[.,]\d+)?)\s*([smhdpgn])[a-zà-ỹ]*$/i;

/**
 * `22:38`, `22:38:14.040`, `22h38`, `21/11 22:38`, `21/11/2026 22:38:14`, `-10p`, or ISO-8601 with an
 * offset. A clock time alone is today's, or yesterday's when it has not come yet. Null: not a time.
 */
export function readTyped(input: string, nowMs: number): number | null {
  const text = input.trim();
  const relative = RELATIVE.exec(text);
  if (relative) {
    const unit = UNIT_MS[(relative[2] ?? "").toLowerCase()] ?? 0;
    return nowMs - Number((relative[1] ?? "").replace(",", ".")) * unit;
  }
  if (/^\d{4}-\d{2}-\d{2}T/.test(text)) {
    const parsed = Date.parse(text);
    return Number.isNaN(parsed) ? null : parsed;
  }
  const words = text.split(/\s+/);
  const date = words.map((word) => DATE.exec(word)).find((match) => match !== null);
  const clock = words.map((word) => CLOCK.exec(word)).find((match) => match !== null);
  if (words.length > 2 || (words.length === 2 && !(date && clock)) || !(date ?? clock)) return null;
  return together(date ?? null, clock ?? null, nowMs);
}

function together(date: RegExpExecArray | null, clock: RegExpExecArray | null, nowMs: number): number | null {
  const now = wall(nowMs);
  const day = date ? Number(date[1]) : now.getUTCDate();
  const month = date ? Number(date[2]) - 1 : now.getUTCMonth();
  const year = date?.[3] ? Number(date[3]) : now.getUTCFullYear();
  const [hour, minute, second] = [1, 2, 3].map((i) => Number(clock?.[i] ?? 0)) as [number, number, number];
  const millis = Number((clock?.[4] ?? "0").padEnd(3, "0"));
  if (hour > 23 || minute > 59 || second > 59) return null;
  const found = moment(year, month, day, hour, minute, second, millis);
  const shown = wall(found);
  if (shown.getUTCMonth() !== month || shown.getUTCDate() !== day) return null;
  if (!date && found > nowMs) return moment(year, month, day - 1, hour, minute, second, millis);
  if (date && !date[3] && found > nowMs) return moment(year - 1, month, day, hour, minute, second, millis);
  return found;
}
