/** The answers about one stream that a timeline shows, fetched as it moves and zooms. */

import type { NodeClient } from "../net/client";
import { asProblem, isAbort, type Problem } from "../net/problem";
import type { Gap, StreamName, Timeline } from "../net/types";
import type { Scale } from "./scale";

export interface Stretch {
  from: number;
  to: number;
}

export interface Hole extends Stretch {
  reason: Gap["reason"];
  detail: string;
  open: boolean;
  /** How much of it is really without footage, ms. */
  missingMs: number;
}

export interface Coverage {
  from: number;
  to: number;
  resolutionMs: number;
  spans: Stretch[];
  gaps: Hole[];
  holds: Stretch[];
  keyframes: number[];
  first: number | null;
  now: number;
}

export function coverageOf(answer: Timeline, resolutionMs: number): Coverage {
  const now = Date.parse(answer.now);
  const stretch = (span: { from: string; to: string }) => ({ from: Date.parse(span.from), to: Date.parse(span.to) });
  return {
    from: Date.parse(answer.from),
    to: Date.parse(answer.to),
    resolutionMs,
    spans: answer.spans.map(stretch),
    gaps: answer.gaps.map((gap) => holeOf(gap, now)),
    holds: answer.holds.map(stretch),
    keyframes: (answer.keyframes ?? []).map((text) => Date.parse(text)),
    first: answer.first ? Date.parse(answer.first) : null,
    now,
  };
}

function holeOf(gap: Gap, now: number): Hole {
  const from = Date.parse(gap.from);
  const to = gap.to ? Date.parse(gap.to) : now;
  const missingMs = gap.missing === null ? to - from : gap.missing * 1000;
  return { from, to, reason: gap.reason, detail: gap.detail, open: gap.to === null, missingMs };
}

/** The longest gap within `grainMs` of a moment: on a coarse timeline a short one is narrower than the pointer. */
export function gapNear(coverage: Coverage | null, ms: number, grainMs: number): Hole | null {
  const near = coverage?.gaps.filter((gap) => ms >= gap.from - grainMs && ms < gap.to + grainMs) ?? [];
  return near.reduce<Hole | null>((most, gap) => (most && most.missingMs >= gap.missingMs ? most : gap), null);
}

/** A stretch of several short gaps has footage between them. */
export function isScattered(gap: Hole): boolean {
  return !gap.open && gap.missingMs < (gap.to - gap.from) * 0.9;
}

export function gapAt(coverage: Coverage | null, ms: number): Hole | null {
  return coverage?.gaps.find((gap) => ms >= gap.from && ms < gap.to && !isScattered(gap)) ?? null;
}

export function hasFootage(coverage: Coverage | null, ms: number): boolean {
  return coverage?.spans.some((span) => ms >= span.from && ms < span.to) ?? false;
}

const REFRESH_MS = 5000;
const SETTLE_MS = 60;

/** Events: `change`. */
export class CoverageSource extends EventTarget {
  current: Coverage | null = null;
  problem: Problem | null = null;
  private client: NodeClient | null = null;
  private camera: string | null = null;
  private stream: StreamName = "main";
  private asked: { from: number; to: number; resolutionMs: number; at: number } | null = null;
  private abort = new AbortController();
  private timer = 0;

  use(client: NodeClient, camera: string, stream: StreamName): void {
    if (client === this.client && camera === this.camera && stream === this.stream) return;
    this.stop();
    this.client = client;
    this.camera = camera;
    this.stream = stream;
    this.current = null;
    this.problem = null;
    this.asked = null;
  }

  stop(): void {
    this.abort.abort();
    clearTimeout(this.timer);
    this.asked = null;
  }

  /** Says what is shown; asks the node when what is known does not cover it finely enough. */
  want(scale: Scale, nowMs: number): void {
    const resolutionMs = Math.max(1, scale.spanMs / Math.max(1, scale.width));
    const { asked } = this;
    const covers = asked && asked.from <= scale.fromMs && asked.to >= scale.fromMs + scale.spanMs;
    const fine = asked && asked.resolutionMs <= resolutionMs * 1.5 && asked.resolutionMs >= resolutionMs / 4;
    const showsNow = scale.fromMs + scale.spanMs > nowMs - 60_000;
    // What is past does not change; a request that failed is made again.
    const rests = !showsNow && this.problem === null;
    const fresh = asked && (rests || performance.now() - asked.at < REFRESH_MS);
    if (covers && fine && fresh) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.fetch(scale, resolutionMs), asked ? SETTLE_MS : 0);
  }

  private async fetch(scale: Scale, resolutionMs: number): Promise<void> {
    if (!this.camera || !this.client) return;
    this.abort.abort();
    const abort = new AbortController();
    this.abort = abort;
    // Keyframes are listed for windows of at most 10 minutes: there the margin is left out.
    const margin = scale.spanMs <= 600_000 ? Math.min(scale.spanMs * 0.5, (600_000 - scale.spanMs) / 2) : scale.spanMs;
    const from = scale.fromMs - margin;
    const to = scale.fromMs + scale.spanMs + margin;
    this.asked = { from, to, resolutionMs, at: performance.now() };
    try {
      const answer = await this.client.timeline(this.camera, this.stream, from, to, resolutionMs / 1000, abort.signal);
      this.current = coverageOf(answer, resolutionMs);
      this.problem = null;
    } catch (reason) {
      if (isAbort(reason)) return;
      this.problem = asProblem(reason);
    }
    this.dispatchEvent(new Event("change"));
  }
}
