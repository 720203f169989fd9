/** Draws the timeline on a canvas. */

import { clockText, dateText, hourMinute, sinceText } from "../time/format";
import { t } from "../words";
import type { Coverage, Stretch } from "./coverage";
import { type Scale, ticks, tickStep, toX } from "./scale";

export interface Scene {
  scale: Scale;
  height: number;
  coverage: Coverage | null;
  nowMs: number;
  playhead: number | null;
  pointer: number | null;
  selection: Stretch | null;
  /** Pictures are being recorded now: the newest seconds are listed only when their group is complete. */
  recording: boolean;
  keyboard: boolean;
}

export const COLOURS = {
  ground: "#11171c",
  band: "#1b242b",
  line: "#2c3842",
  text: "#a3b0bb",
  strong: "#e6edf3",
  footage: "#1f7f74",
  footageEdge: "#2bb3a3",
  gap: "#3a2c1c",
  gapLine: "#f5a524",
  hold: "#7fb4ff",
  select: "#2bb3a3",
  playhead: "#ffffff",
} as const;

const TOP = 26;
const FONT = '"Be Vietnam Pro", system-ui, sans-serif';
const HOUR = 3_600_000;
const NEWEST_MS = 30_000;
/** A gap of fewer pixels than this has no room for its hatching. */
const NARROW = 5;
/** Pixels between the middle of a tick's label and the playhead at which the two labels do not touch. */
const HEAD_CLEARANCE = 62;

export function paint(context: CanvasRenderingContext2D, scene: Scene): void {
  const { scale, height } = scene;
  context.fillStyle = COLOURS.ground;
  context.fillRect(0, 0, scale.width, height);
  const band = { y: TOP + 6, h: height - TOP - 14 };
  context.fillStyle = COLOURS.band;
  context.fillRect(0, band.y, scale.width, band.h);
  paintFuture(context, scene, band);
  if (scene.coverage) paintCoverage(context, scene, scene.coverage, band);
  paintTicks(context, scene);
  if (scene.selection) paintSelection(context, scene, scene.selection, band);
  if (scene.pointer !== null) paintPointer(context, scene, scene.pointer);
  if (scene.playhead !== null) paintPlayhead(context, scene, scene.playhead);
}

interface Band {
  y: number;
  h: number;
}

function paintFuture(context: CanvasRenderingContext2D, { scale, nowMs, height }: Scene, band: Band): void {
  const x = toX(scale, nowMs);
  if (x >= scale.width) return;
  context.fillStyle = COLOURS.ground;
  context.fillRect(Math.max(0, x), band.y, scale.width, band.h);
  context.fillStyle = COLOURS.line;
  context.fillRect(x, TOP, 1, height - TOP);
}

function bar(
  context: CanvasRenderingContext2D,
  scale: Scale,
  s: Stretch,
  y: number,
  h: number,
  least = 1,
): [number, number] | null {
  const from = Math.max(-2, toX(scale, s.from));
  const to = Math.min(scale.width + 2, toX(scale, s.to));
  if (to < 0 || from > scale.width) return null;
  // A short stretch stays visible however far one zooms out.
  const width = Math.max(least, to - from);
  context.fillRect(from, y, width, h);
  return [from, width];
}

function paintCoverage(context: CanvasRenderingContext2D, scene: Scene, coverage: Coverage, band: Band): void {
  const { scale } = scene;
  context.fillStyle = COLOURS.footage;
  for (const span of coverage.spans) bar(context, scale, span, band.y, band.h);
  paintNewest(context, scene, coverage, band);
  context.fillStyle = COLOURS.footageEdge;
  for (const span of coverage.spans) bar(context, scale, span, band.y, 2);
  const ticksFit = coverage.keyframes.length * 3 < scale.width * (coverage.to - coverage.from) / scale.spanMs;
  if (ticksFit) {
    context.fillStyle = "rgb(230 237 243 / 45%)";
    for (const at of coverage.keyframes) context.fillRect(Math.round(toX(scale, at)), band.y + band.h - 7, 1, 7);
  }
  for (const gap of coverage.gaps) paintGap(context, scene, gap, band);
  context.fillStyle = COLOURS.hold;
  for (const hold of coverage.holds) {
    const drawn = bar(context, scale, hold, band.y + band.h - 4, 4);
    if (drawn && drawn[1] > 170) label(context, t("timeline.hold"), drawn[0] + 8, band.y + band.h - 14, COLOURS.strong);
  }
  if (coverage.first !== null) {
    const x = toX(scale, coverage.first);
    if (x > 150) label(context, t("timeline.before"), Math.min(x, scale.width) - 12, band.y + band.h / 2, COLOURS.text, "right");
  }
}

/** The seconds between the newest listed picture and now, while they are being written. */
function paintNewest(context: CanvasRenderingContext2D, scene: Scene, coverage: Coverage, band: Band): void {
  const from = coverage.spans.at(-1)?.to;
  if (!scene.recording || from === undefined || scene.nowMs - from > NEWEST_MS) return;
  context.globalAlpha = 0.55;
  bar(context, scene.scale, { from, to: scene.nowMs }, band.y, band.h);
  context.globalAlpha = 1;
}

function paintGap(context: CanvasRenderingContext2D, scene: Scene, gap: Coverage["gaps"][number], band: Band): void {
  if (toX(scene.scale, gap.to) - toX(scene.scale, gap.from) < NARROW) {
    // However far one zooms out: that something is missing can be seen.
    context.fillStyle = COLOURS.gapLine;
    bar(context, scene.scale, gap, band.y, band.h, 2);
    return;
  }
  context.fillStyle = COLOURS.gap;
  const drawn = bar(context, scene.scale, gap, band.y, band.h);
  if (!drawn) return;
  const [x, width] = drawn;
  context.save();
  context.beginPath();
  context.rect(x, band.y, width, band.h);
  context.clip();
  context.strokeStyle = "rgb(245 165 36 / 55%)";
  context.lineWidth = 1.5;
  context.beginPath();
  const start = Math.floor(x / 9) * 9 - band.h;
  for (let at = start; at < x + width; at += 9) {
    context.moveTo(at, band.y + band.h);
    context.lineTo(at + band.h, band.y);
  }
  context.stroke();
  context.restore();
  context.fillStyle = COLOURS.gapLine;
  context.fillRect(x, band.y, width, 2);
  const word = t(`reason.${gap.reason}`);
  const text = `${word.charAt(0).toUpperCase()}${word.slice(1)} · ${sinceText(gap.from, scene.nowMs)}`;
  context.font = `500 12px ${FONT}`;
  const wide = context.measureText(text).width + 16;
  if (width < wide + 8) return;
  const left = Math.max(4, x + 6);
  context.fillStyle = COLOURS.gap;
  context.fillRect(left, band.y + band.h / 2 - 10, wide, 20);
  label(context, text, left + 8, band.y + band.h / 2, "#ffd591");
}

function paintTicks(context: CanvasRenderingContext2D, { scale, height, playhead }: Scene): void {
  const head = playhead === null ? -Infinity : toX(scale, playhead);
  const step = tickStep(scale, 78);
  context.fillStyle = COLOURS.line;
  const small = step / 5;
  if (step < 24 * HOUR) for (const at of ticks(scale, small)) context.fillRect(Math.round(toX(scale, at)), TOP, 1, 4);
  for (const at of ticks(scale, step)) {
    const x = Math.round(toX(scale, at));
    const midnight = clockText(at) === "00:00:00";
    context.fillStyle = midnight ? COLOURS.text : COLOURS.line;
    context.fillRect(x, TOP - 4, 1, midnight ? height : 10);
    const text = midnight ? dateText(at).slice(0, 5) : step < 60_000 ? clockText(at) : hourMinute(at);
    // Half a label beside that of the playhead reads like another time.
    if (Math.abs(x + 22 - head) < HEAD_CLEARANCE) continue;
    label(context, text, x + 5, 13, midnight ? COLOURS.strong : COLOURS.text);
  }
}

function paintSelection(context: CanvasRenderingContext2D, scene: Scene, selection: Stretch, band: Band): void {
  const { scale } = scene;
  const from = toX(scale, selection.from);
  const to = toX(scale, selection.to);
  context.fillStyle = "rgb(0 0 0 / 45%)";
  context.fillRect(0, band.y, Math.max(0, from), band.h);
  context.fillRect(to, band.y, Math.max(0, scale.width - to), band.h);
  context.strokeStyle = COLOURS.strong;
  context.lineWidth = 2;
  context.strokeRect(from, band.y + 1, Math.max(1, to - from), band.h - 2);
  for (const x of [from, to]) {
    context.fillStyle = COLOURS.strong;
    context.beginPath();
    context.roundRect(x - 6, band.y + band.h / 2 - 14, 12, 28, 4);
    context.fill();
    context.fillStyle = COLOURS.ground;
    context.fillRect(x - 2, band.y + band.h / 2 - 7, 1, 14);
    context.fillRect(x + 1, band.y + band.h / 2 - 7, 1, 14);
  }
}

function paintPointer(context: CanvasRenderingContext2D, { scale, height }: Scene, at: number): void {
  const x = Math.round(toX(scale, at));
  context.fillStyle = "rgb(230 237 243 / 60%)";
  context.fillRect(x, TOP, 1, height - TOP);
}

function paintPlayhead(context: CanvasRenderingContext2D, { scale, height, keyboard }: Scene, at: number): void {
  const x = Math.round(toX(scale, at));
  if (x < -60 || x > scale.width + 60) return;
  context.fillStyle = COLOURS.playhead;
  context.fillRect(x - 1, TOP - 2, 2, height - TOP + 2);
  const text = clockText(at);
  context.font = `600 13px ${FONT}`;
  const wide = context.measureText(text).width + 16;
  const left = Math.min(Math.max(0, x - wide / 2), scale.width - wide);
  context.fillStyle = keyboard ? COLOURS.footageEdge : COLOURS.playhead;
  context.beginPath();
  context.roundRect(left, 2, wide, 22, 6);
  context.fill();
  label(context, text, left + 8, 13.5, "#0f1418", "left", 600, 13);
}

function label(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: string,
  align: CanvasTextAlign = "left",
  weight = 500,
  size = 12,
): void {
  context.font = `${weight} ${size}px ${FONT}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
