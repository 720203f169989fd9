/** One zone for every time on the page: that of the installation, whatever this PC's clock is set to. */

const USUAL = "Asia/Ho_Chi_Minh";
/** Offsets change on such boundaries alone, in every zone of today. */
const PIECE_MS = 15 * 60_000;
const MOST_KEPT = 5000;

const told = typeof document === "undefined" ? undefined : document.documentElement.dataset.timeZone;
const offsets = new Map<number, number>();
let clock = clockOf(told ?? USUAL);

function clockOf(zone: string): Intl.DateTimeFormat {
  const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
  return new Intl.DateTimeFormat("en-US", { ...fields, hourCycle: "h23", timeZone: zone });
}

/** Throws RangeError for a zone the browser does not know. */
export function useZone(zone: string): void {
  clock = clockOf(zone);
  offsets.clear();
}

/** How far the zone's clocks are ahead of UTC at this moment. */
function offsetMs(ms: number): number {
  const piece = Math.floor(ms / PIECE_MS);
  const known = offsets.get(piece);
  if (known !== undefined) return known;
  const at = piece * PIECE_MS;
  const parts: Record<string, number> = {};
  for (const { type, value } of clock.formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - at;
  if (offsets.size > MOST_KEPT) offsets.clear();
  offsets.set(piece, offset);
  return offset;
}

/** The zone's calendar and clock at a moment: to be read by the `getUTC…` methods. */
export function wall(ms: number): Date {
  return new Date(ms + offsetMs(ms));
}

/** The moment at which the zone's calendar and clock show this; what is out of range is carried over, as `Date` does. */
export function moment(year: number, month: number, day: number, hour = 0, minute = 0, second = 0, milli = 0): number {
  const shown = Date.UTC(year, month, day, hour, minute, second, milli);
  const near = shown - offsetMs(shown);
  return shown - offsetMs(near);
}
