/** Pieces of the player page that only show what they are told. */

import { html, nothing, type TemplateResult } from "lit";
import type { House } from "../house";
import type { PictureState } from "../live/picture-state";
import type { NodeClient } from "../net/client";
import type { Camera, StreamName } from "../net/types";
import { icon, type IconName } from "../parts/icons";
import { stateText } from "../parts/picture";
import type { StageElement } from "../parts/stage";
import { go } from "../route";
import { clockText, dateText, dayText, momentText, sameDay } from "../time/format";
import type { Coverage, CoverageSource, Stretch } from "../timeline/coverage";
import type { PointedDetail, TimelineElement } from "../timeline/element";
import { problemText, t, type Word } from "../words";
import { gapBeside, gapWords, missing } from "./missing";

/** Follows a link to the wall without loading the page anew. */
export function toWall(event: Event): void {
  event.preventDefault();
  go("/live");
}

/** Way back, the neighbours, and whose picture this is. */
export function headPart(
  camera: Camera,
  other: (by: 1 | -1) => void,
  end: readonly unknown[],
): TemplateResult {
  return html`<div class="head">
    <a class="button" href="/live" aria-label=${t("nav.back")} title="${t("nav.back")} (Esc)" @click=${toWall}
      >${icon("arrowLeft")}</a
    >
    ${headButton("player.previousCamera", "PgUp", "chevronLeft", () => other(-1))}
    ${headButton("player.nextCamera", "PgDn", "chevronRight", () => other(1))}
    <div class="title"><h1>${camera.name}</h1><small>${camera.site}</small></div>
    <span class="grow"></span>
    ${end}
  </div>`;
}

/** On a full screen, where nothing else may be left: whose picture this is, of when, and in what state. */
export function fullPart(camera: Camera, end: readonly unknown[]): TemplateResult {
  return html`<div class="onFull"><strong>${camera.name}</strong><small>${camera.site}</small><span class="grow"></span>${end}</div>`;
}

function headButton(word: Word, key: string, name: IconName, press: () => void): TemplateResult {
  return html`<button aria-label=${t(word)} title="${t(word)} (${key})" @click=${press}>${icon(name)}</button>`;
}

/** Puts a link to a page of the application on the clipboard; false where the browser refuses. */
export async function copied(address: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(new URL(address, location.href).href);
    return true;
  } catch {
    return false;
  }
}

/** The one clock of the page: the moment on the screen, with thousandths when one picture is looked at. */
export function clockPart(ms: number, nowMs: number, exact: boolean): TemplateResult {
  return html`<div class="moment">
    <time datetime=${new Date(ms).toISOString()}>${clockText(ms, exact)}</time>
    <small>${sameDay(ms, nowMs) ? `${t("timeline.today")} ${dateText(ms)}` : dayText(ms)}</small>
  </div>`;
}

export function badgePart(is: PictureState | "past" | null, nowMs: number): TemplateResult | typeof nothing {
  if (is === null) return nothing;
  if (is === "past") return html`<span class="badge">${icon("clock")}${t("state.past")}</span>`;
  const sign = is.kind === "live" ? html`<span class="dot"></span>` : icon(is.kind === "lost" ? "lost" : "wait");
  return html`<span class="badge ${is.kind}" role="status">${sign}${stateText(is, nowMs)}</span>`;
}

/** There is no picture that could run, be stopped or stepped through. */
export function isStill(stage: StageElement | null, live: boolean): boolean {
  if (live) return ["lost", "disabled"].includes(stage?.pictureElement?.pictureState.kind ?? "");
  return ["no_footage", "failed"].includes(stage?.deck?.state ?? "");
}

/** Nothing was recorded at `at`: what, why, since when, and where footage is. */
export function holePart(
  known: Coverage | null,
  at: number,
  nowMs: number,
  seek: (ms: number) => void,
): TemplateResult {
  const why = gapWords(known, at, nowMs);
  const next = known?.spans.find((span) => span.from > at)?.from;
  const previous = known?.spans.filter((span) => span.to <= at).at(-1)?.to;
  const first = known?.first ?? null;
  return html`<div class="over ${why ? "gap" : ""}" role="status">
    ${icon(why ? "alert" : "off")}
    <h2>${t(why ? "player.gap" : "player.noFootage")}</h2>
    <p>${why ?? (first ? t("player.noFootageHow", { first: momentText(first, at) }) : t("player.nothing"))}</p>
    <div class="row">
      ${previous
        ? html`<button class="outlined" @click=${() => seek(previous - 2000)}>
            ${icon("chevronLeft")}${t("player.previousFootage")}
          </button>`
        : nothing}
      ${next
        ? html`<button class="outlined" @click=${() => seek(next + 1)}>
            ${t("player.nextFootage")}${icon("chevronRight")}
          </button>`
        : nothing}
      ${!previous && !next && first && first > at
        ? html`<button class="outlined" @click=${() => seek(first + 1)}>${t("player.toFirst")}</button>`
        : nothing}
    </div>
  </div>`;
}

export interface TimeAxis {
  client: NodeClient;
  camera: string;
  stream: StreamName;
  source: CoverageSource;
  /** The element itself once it stands: it knows its scale. */
  timeline: TimelineElement | null;
  pointed: PointedDetail | null;
  playhead: number | null;
  nowMs: number;
  selection: Stretch | null;
  recording: boolean;
  seek(ms: number): void;
  scrub(ms: number): void;
  point(where: PointedDetail | null): void;
  select(stretch: Stretch): void;
  redraw(): void;
}

/** In the timeline's place while nobody may look back, with the reason; a page around this one may have more to say. */
export function noPastPart({ session, problem, refused }: House): TemplateResult {
  const why = session ? t("player.noRight") : problem ? t("player.away") : refused && !refused.signedOut ? problemText(refused) : "";
  return html`<div class="time muted"><slot name="instead-of-time"><p role="status">${why}</p></slot></div>`;
}

/** The timeline with the still under the pointer. */
export function timePart(on: TimeAxis): TemplateResult {
  const { pointed, nowMs, timeline } = on;
  const { problem } = on.source;
  const grainMs = timeline ? timeline.shownScale.spanMs / timeline.shownScale.width : 1000;
  return html`<div class="time">
    <xy-preview
      .client=${on.client}
      .camera=${on.camera}
      .stream=${on.stream}
      .ms=${pointed && pointed.ms <= nowMs ? pointed.ms : null}
      .nowMs=${nowMs}
      .why=${(pointed && missing(on.source.current, pointed.ms, nowMs)) ?? ""}
      .beside=${pointed ? gapBeside(on.source.current, pointed.ms, grainMs * 2, nowMs) : ""}
      .grainMs=${grainMs}
    ></xy-preview>
    <xy-timeline
      .source=${on.source}
      .playhead=${on.playhead}
      .nowMs=${nowMs}
      .selection=${on.selection}
      .recording=${on.recording}
      @seek=${(e: CustomEvent<number>) => on.seek(e.detail)}
      @scrub=${(e: CustomEvent<number>) => on.scrub(e.detail)}
      @pointed=${(e: CustomEvent<PointedDetail | null>) => on.point(e.detail)}
      @select=${(e: CustomEvent<Stretch>) => on.select(e.detail)}
      @coverage=${on.redraw}
    ></xy-timeline>
    ${problem
      ? html`<div class="failed" role="status">${t("timeline.failed", { why: problemText(problem) })}</div>`
      : nothing}
  </div>`;
}

/** The shape of what comes. */
export function waitingPart(own: boolean): TemplateResult {
  return html`<xy-bar ?guest=${!own}></xy-bar>
    <main role="status" aria-label=${t("player.loading")}>
      <div class="skeleton stage"></div>
      <div class="skeleton line"></div>
    </main>`;
}

export function unknownPart(own: boolean): TemplateResult {
  return html`<xy-bar ?guest=${!own}></xy-bar>
    <main class="middle">
      ${icon("off")}
      <h1>${t("player.unknown")}</h1>
      <p class="muted">${t("player.unknownHow")}</p>
      <a class="button primary" href="/live" @click=${toWall}>${t("nav.back")}</a>
    </main>`;
}
