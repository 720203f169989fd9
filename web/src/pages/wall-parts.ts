/** Pieces of the wall that only show what they are told. */

import { html, nothing, type TemplateResult } from "lit";
import { type Layout, LAYOUTS } from "../live/layout";
import type { Problem } from "../net/problem";
import type { Camera } from "../net/types";
import { icon } from "../parts/icons";
import { sinceText } from "../time/format";
import { problemText, t } from "../words";

/** The shape of what comes, or why it does not come. */
export function waitingPart(count: Layout, problem: Problem | null): TemplateResult {
  if (problem) return html`<div class="middle" role="alert">
      ${icon("lost")}
      <h2>${t("wall.noAnswer")}</h2>
      <p class="muted">${problemText(problem)}</p>
    </div>`;
  return html`<div class="grid n${count}" role="status" aria-label=${t("wall.loading")}>
    ${Array.from({ length: count }, () => html`<div class="cell skeleton"></div>`)}
  </div>`;
}

export function emptyPart(): TemplateResult {
  return html`<div class="middle">
    ${icon("video")}
    <h2>${t("wall.empty")}</h2>
    <p class="muted">${t("wall.emptyHow")}</p>
    <code>xomyen camera add "Cổng chợ" rtsp://192.168.1.20/stream1 --user admin</code>
  </div>`;
}

/** Said once for all pictures: the connection they share is down. A blip is not worth a word. */
export function connectionPart(downSince: number | null, nowMs: number): TemplateResult | typeof nothing {
  if (downSince === null || nowMs - downSince < 2000) return nothing;
  return html`<div class="broken" role="alert">
    ${icon("lost")}<span>${t("wall.serverLost", { time: sinceText(downSince, nowMs) })}</span>
  </div>`;
}

export function sitesPart(
  cameras: readonly Camera[],
  chosen: string,
  choose: (site: string) => void,
): TemplateResult | typeof nothing {
  const names = [...new Set(cameras.map((camera) => camera.site))].filter(Boolean);
  if (names.length < 2) return nothing;
  const onChange = (event: Event): void => choose((event.target as HTMLSelectElement).value);
  return html`<select aria-label=${t("wall.site")} @change=${onChange}>
    <option value="" ?selected=${chosen === ""}>${t("wall.allSites")}</option>
    ${names.map((name) => html`<option value=${name} ?selected=${chosen === name}>${name}</option>`)}
  </select>`;
}

export function layoutsPart(shown: Layout, choose: (layout: Layout) => void): TemplateResult {
  return html`<div class="layouts" role="group" aria-label=${t("wall.layout")}>
    ${LAYOUTS.map(
      (n, i) =>
        html`<button
          aria-pressed=${shown === n}
          aria-label=${t("wall.layoutOf", { n })}
          title="${t("wall.layoutOf", { n })} (${i + 1})"
          @click=${() => choose(n)}
        >
          ${n}
        </button>`,
    )}
  </div>`;
}

/** Leads through the pages of a wall; nothing when there is one. */
export function pagerPart(page: number, pages: number, turn: (by: 1 | -1) => void): TemplateResult | typeof nothing {
  if (pages < 2) return nothing;
  return html`<div class="pager">
    <button aria-label=${t("wall.previous")} ?disabled=${page === 0} @click=${() => turn(-1)}>
      ${icon("chevronLeft")}
    </button>
    <span>${t("wall.page", { page: page + 1, pages })}</span>
    <button aria-label=${t("wall.next")} ?disabled=${page >= pages - 1} @click=${() => turn(1)}>
      ${icon("chevronRight")}
    </button>
  </div>`;
}

/** On a phone most cards are out of sight and not watched: there the recorder's word counts. */
export function inSight(cameras: readonly Camera[]): { live: number; all: number } | null {
  if (!cameras.length) return null;
  const sends = (camera: Camera): boolean => ["recording", "not_recording"].includes(camera.streams.main.state);
  return { live: cameras.filter(sends).length, all: cameras.length };
}
