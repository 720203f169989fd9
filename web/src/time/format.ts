/** Times as people read them: of the installation's zone, with seconds, with the date when it is not today. */

import { type Language, language, t } from "../words";
import { wall } from "./zone";

function two(n: number): string {
  return String(n).padStart(2, "0");
}

export function clockText(ms: number, withMillis = false): string {
  const d = wall(ms);
  const base = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  return withMillis ? `${base}.${String(d.getUTCMilliseconds()).padStart(3, "0")}` : base;
}

export function hourMinute(ms: number): string {
  const d = wall(ms);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

/** 21/11/2026, in both languages: the day comes first in Viet Nam. */
export function dateText(ms: number): string {
  const d = wall(ms);
  return `${two(d.getUTCDate())}/${two(d.getUTCMonth() + 1)}/${d.getUTCFullYear()}`;
}

const DAYS: Record<Language, readonly string[]> = {
  vi: ["Chủ nhật", "Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy"],
  en: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
};

export function dayText(ms: number): string {
  return `${DAYS[language()][wall(ms).getUTCDay()] ?? ""} ${dateText(ms)}`;
}

export function sameDay(a: number, b: number): boolean {
  return dateText(a) === dateText(b);
}

/** 22:38:14, or 20/11/2026 22:38:14 when that is not today. */
export function momentText(ms: number, nowMs: number, withMillis = false): string {
  const clock = clockText(ms, withMillis);
  return sameDay(ms, nowMs) ? clock : `${dateText(ms)} ${clock}`;
}

/** 14:02, or 20/11 14:02 when that is not today: for small labels. */
export function sinceText(ms: number, nowMs: number): string {
  if (sameDay(ms, nowMs)) return hourMinute(ms);
  const d = wall(ms);
  return `${two(d.getUTCDate())}/${two(d.getUTCMonth() + 1)} ${hourMinute(ms)}`;
}

/** 1 phút 30 giây; 2 giờ 5 phút; 3 ngày 4 giờ. */
export function lengthText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) {
    const digits = seconds < 10 && !Number.isInteger(seconds) ? seconds.toFixed(2) : seconds.toFixed(0);
    return `${decimal(digits)} ${t("unit.second")}`;
  }
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), t("unit.day")],
    [Math.floor(whole / 3600) % 24, t("unit.hour")],
    [Math.floor(whole / 60) % 60, t("unit.minute")],
    [whole % 60, t("unit.second")],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

function decimal(digits: string): string {
  return language() === "vi" ? digits.replace(".", ",") : digits;
}

/** 12,3 MB: decimal units, as file managers show them. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${decimal(unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1))} ${units[unit] ?? ""}`;
}
