/** Pieces of the wall that only show what they are told. */

import { html, nothing, type TemplateResult } from "lit";
import { type Layout, LAYOUTS } from "../live/layout";
import type { Problem } from "../net/problem";
import type { Alarm, Camera } from "../net/types";
import { icon } from "../parts/icons";
import { momentText, sinceText } from "../time/format";
import { problemText, t, type Word } from "../words";
import { vi } from "../words/vi";

/** Their words say already that the page tries again. */
const SAYS_SO: readonly string[] = ["unreachable", "not_running", "busy"];

/** The shape of what comes, or why it does not come. */
export function waitingPart(count: Layout, problem: Problem | null): TemplateResult {
  if (problem) return html`<div class="middle" role="alert">
      ${icon("lost")}
      <h2>${t("wall.noAnswer")}</h2>
      <p class="muted">${problemText(problem)}</p>
      ${SAYS_SO.includes(problem.code) ? nothing : html`<p class="muted">${t("wall.retrying")}</p>`}
    </div>`;
  return html`<div class="grid n${count}" role="status" aria-label=${t("wall.loading")}>
    ${Array.from({ length: count }, () => html`<div class="cell skeleton"></div>`)}
  </div>`;
}

export function emptyPart(own: boolean): TemplateResult {
  // The page around the wall knows whether its reader may do something about it.
  if (!own) return html`<div class="middle">
      ${icon("video")}
      <h2>${t("wall.empty")}</h2>
      <slot name="empty"><p class="muted">${t("wall.emptyCentre")}</p></slot>
    </div>`;
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

/** Nothing is kept, or was lost: these need a hand now. The others can wait for the morning. */
const GRAVE: readonly string[] = ["full", "volume", "lost", "index", "recorder"];

/** What somebody must look at: the gravest in one line, all of them when it is opened. */
export function alarmsPart(alarms: readonly Alarm[], nowMs: number): TemplateResult | typeof nothing {
  const sorted = [...alarms].sort((a, b) => Number(GRAVE.includes(b.code)) - Number(GRAVE.includes(a.code)));
  const [first, ...others] = sorted;
  if (!first) return nothing;
  return html`<div class="alarms ${GRAVE.includes(first.code) ? "grave" : ""}" role="alert" aria-label=${t("alarm.title")}>
    <details><summary>
      ${icon("alert")}
      <div>
        <span>${alarmText(first)}</span>
        <small>${t("alarm.since", { time: sinceText(Date.parse(first.since), nowMs) })}</small>
        ${others.length ? html`<strong>${t("alarm.more", { n: others.length })}</strong>` : nothing}
      </div>
      ${icon("chevronDown")}
    </summary>
    <ul>
      ${sorted.map(
        (alarm) =>
          html`<li>
            ${alarm === first ? nothing : html`<p>${alarmText(alarm)}</p>`}
            <small>${t("alarm.since", { time: momentText(Date.parse(alarm.since), nowMs) })} · </small
            ><small lang="en" translate="no">${alarm.detail}</small>
          </li>`,
      )}
    </ul></details>
  </div>`;
}

function alarmText(alarm: Alarm): string {
  const word = `alarm.${alarm.code}`;
  return word in vi ? t(word as Word, { path: alarm.path }) : t("alarm.other", { code: alarm.code });
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
