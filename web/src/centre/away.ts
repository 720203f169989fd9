/** The page that the browser shows while the centre is out of reach (away-worker.mjs); goes on once it answers. */

import "@fontsource/be-vietnam-pro/400.css";
import "@fontsource/be-vietnam-pro/600.css";
import { remembered } from "../parts/memory";
import { wall } from "../time/zone";
import "./away.css";
import { ANSWERED, IN_VAIN, SPOKEN } from "./kept";

const TRY_EVERY_MS = 10_000;
/** Of the centre itself: a proxy may have its files. */
const ASKED = "/well/";
const LONGEST_WAIT_MS = 120_000;
/** What happened before that counts no more. */
const REMEMBERED_MS = 600_000;
const PATIENCE_MS = 8000;
/** What a proxy answers whose centre is away. */
const AWAY = [502, 503, 504];

const isTime = (value: unknown): value is number => typeof value === "number";
const isLanguage = (value: unknown): value is string => value === "vi" || value === "en";

const spoken = remembered(SPOKEN, "vi", isLanguage);
const all = [...document.querySelectorAll<HTMLElement>("main")];
const main = all.find((one) => one.lang === spoken) ?? document.body;
for (const one of all) one.hidden = one !== main;
document.documentElement.lang = spoken;
document.title = main.dataset.title ?? document.title;

/** 22/11/2026 09:41:12 as people there write it; the date only where it is not today's. */
function moment(ms: number): string {
  const [day, clock] = parts(ms);
  return parts(Date.now())[0] === day ? clock : spoken === "vi" ? `${clock} ngày ${day}` : `${clock} on ${day}`;
}

function parts(ms: number): [day: string, clock: string] {
  const [date = "", time = ""] = wall(ms).toISOString().split("T");
  return [date.split("-").reverse().join("/"), time.slice(0, 8)];
}

function tell(which: string, ms: number): void {
  const place = main.querySelector<HTMLElement>(`[data-${which}]`);
  const time = place?.querySelector("time");
  if (!place || !time) return;
  time.textContent = moment(ms);
  place.hidden = false;
}

/** How often in a row a page that was asked for anew did not come, although the centre answered. */
function inVain(): number {
  try {
    const [times, last] = JSON.parse(sessionStorage.getItem(IN_VAIN) ?? "[]") as unknown[];
    return isTime(times) && isTime(last) && Date.now() - last < REMEMBERED_MS ? times : 0;
  } catch {
    return 0;
  }
}

function askAnew(): void {
  try {
    sessionStorage.setItem(IN_VAIN, JSON.stringify([failed + 1, Date.now()]));
  } catch {
    // Then it is asked for every ten seconds.
  }
  // The page that was wanted: its address stands above this one.
  location.reload();
}

function tellNetwork(): void {
  for (const one of main.querySelectorAll<HTMLElement>("[data-no-network]")) one.hidden = navigator.onLine;
  for (const one of main.querySelectorAll<HTMLElement>("[data-network]")) one.hidden = !navigator.onLine;
}

async function answers(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    // A redirection is an answer too: the network may want a sign-in of its own first.
    const answer = await fetch(ASKED, { cache: "no-store", credentials: "omit", redirect: "manual", signal });
    return !AWAY.includes(answer.status);
  } catch {
    return false;
  }
}

const failed = inVain();
/** When it is asked for by itself: at once, then after 10 s, 20 s, 40 s … */
const due = Date.now() + (failed && Math.min(TRY_EVERY_MS * 2 ** (failed - 1), LONGEST_WAIT_MS));
let trying: Promise<void> | null = null;

/** What somebody asked for is read out; what the page does by itself only stands there. */
function again(aloud = false): Promise<void> {
  main.querySelector("[role=status]")?.setAttribute("aria-live", aloud ? "polite" : "off");
  trying ??= answers()
    .then((answered) => {
      main.toggleAttribute("data-held", answered);
      if (answered && (aloud || Date.now() >= due)) askAnew();
      else if (answered) tell("later", due);
      else tell("tried", Date.now());
    })
    .finally(() => (trying = null));
  return trying;
}

const answered = remembered(ANSWERED, 0, isTime);
if (answered) tell("answered", answered);
tellNetwork();
main.querySelector("button")?.addEventListener("click", () => void again(true));
addEventListener("online", () => {
  tellNetwork();
  void again();
});
addEventListener("offline", tellNetwork);
// Else this page would say for a while that nobody answers.
if (failed) void again();
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void again();
});
setInterval(() => {
  if (!document.hidden) void again();
}, TRY_EVERY_MS);
