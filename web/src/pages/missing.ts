/** Words for moments at which nothing was recorded. */

import { lengthText, momentText } from "../time/format";
import { type Coverage, gapAt, gapNear, hasFootage, type Hole, isScattered } from "../timeline/coverage";
import { t } from "../words";

/** "Lỗi mạng · từ 14:02:07 đến 14:05:31 (3 phút 24 giây)"; null when no gap is known there. */
export function gapWords(coverage: Coverage | null, ms: number, nowMs: number): string | null {
  const gap = gapAt(coverage, ms);
  return gap && wordsOf(gap, nowMs);
}

/** The same of a gap that the pointer meets only nearly; empty when there is none. */
export function gapBeside(coverage: Coverage | null, ms: number, grainMs: number, nowMs: number): string {
  const gap = gapNear(coverage, ms, grainMs);
  return gap ? wordsOf(gap, nowMs) : "";
}

function wordsOf(gap: Hole, nowMs: number): string {
  const word = t(`reason.${gap.reason}`);
  const reason = word.charAt(0).toUpperCase() + word.slice(1);
  const from = momentText(gap.from, nowMs);
  if (gap.open) return t("player.gapOpen", { reason, from });
  const length = lengthText(gap.missingMs);
  return t(isScattered(gap) ? "player.gapsFrom" : "player.gapFrom", { reason, from, to: momentText(gap.to, nowMs), length });
}

/** Why there is no picture of a moment; null when there should be one. */
export function missing(coverage: Coverage | null, ms: number, nowMs: number): string | null {
  if (!coverage || ms < coverage.from || ms > coverage.to) return null;
  const gap = gapWords(coverage, ms, nowMs);
  if (gap) return gap;
  if (coverage.first === null || ms < coverage.first - coverage.resolutionMs) return t("timeline.before");
  const near = coverage.spans.some((s) => ms >= s.from - coverage.resolutionMs && ms <= s.to + coverage.resolutionMs);
  // The newest seconds are being written: they are there, only not listed yet.
  return hasFootage(coverage, ms) || near || nowMs - ms < 15_000 ? null : t("player.noFootage");
}
