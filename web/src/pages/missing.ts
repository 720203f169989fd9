/** Words for moments at which nothing was recorded. */

import { lengthText, momentText } from "../time/format";
import { type Coverage, gapAt, hasFootage } from "../timeline/coverage";
import { t } from "../words";

/** "Lỗi mạng · từ 14:02:07 đến 14:05:31 (3 phút 24 giây)"; null when no gap is known there. */
export function gapWords(coverage: Coverage | null, ms: number, nowMs: number): string | null {
  const gap = gapAt(coverage, ms);
  if (!gap) return null;
  const word = t(`reason.${gap.reason}`);
  const reason = word.charAt(0).toUpperCase() + word.slice(1);
  const from = momentText(gap.from, nowMs);
  if (gap.open) return t("player.gapOpen", { reason, from });
  return t("player.gapFrom", { reason, from, to: momentText(gap.to, nowMs), length: lengthText(gap.to - gap.from) });
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
