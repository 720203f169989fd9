/** A page that shows what somebody may see leaves once that person's session is over, also while the centre is away. */

import { remember, remembered } from "../parts/memory";
import { ANSWERED } from "./kept";

const SIGN_OUT = "/account/logout/";
const SIGN_IN = "/account/login/";
/** As long as a session lasts that asks for nothing, and how late the centre notes that it asked (accounts/entry.py). */
const UNUSED_MS = 65 * 60_000;
const LOOK_EVERY_MS = 30_000;
const TIME_TO_SIGN_OUT_MS = 1000;
/** How often the tabs, which share the session, keep for each other when one of them was answered. */
const KEEP_EVERY_MS = 15_000;

const isTime = (value: unknown): value is number => typeof value === "number";

const others = new BroadcastChannel("xomyen-signed-out");
// Nobody is signed in in this browser: the one who signs out says so, and the page to sign in, which nobody else gets.
document.addEventListener("submit", (event) => {
  if ((event.target as HTMLFormElement).getAttribute("action") === SIGN_OUT) others.postMessage("out");
});
if (location.pathname === SIGN_IN) others.postMessage("out");

if (document.documentElement.dataset.signedIn !== undefined) {
  let answered = 0;
  let kept = 0;
  const note = (): void => {
    answered = Date.now();
    if (Math.abs(answered - kept) < KEEP_EVERY_MS) return;
    kept = answered;
    remember(ANSWERED, answered);
  };
  // The page itself came from the centre.
  note();
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      // What only a proxy answers, that the centre is away, keeps no session.
      const byCentre = entry.responseStatus > 0 && entry.responseStatus < 500;
      if (byCentre && new URL(entry.name).origin === location.origin) note();
    }
  }).observe({ type: "resource" });

  /** What was shown is gone at once, whoever answers then. */
  const leave = (waitMs: number): void => {
    document.body.replaceChildren();
    document.title = "Xóm Yên";
    setTimeout(() => location.replace(SIGN_IN), waitMs);
  };
  others.addEventListener("message", () => leave(TIME_TO_SIGN_OUT_MS));
  const look = (): void => {
    // Read only now: a tab that slept, or was put away, has heard nothing of what the others did.
    if (Date.now() - Math.max(answered, remembered(ANSWERED, 0, isTime)) > UNUSED_MS) leave(0);
  };
  setInterval(look, LOOK_EVERY_MS);
  // A page that browsers kept in memory, or whose machine slept.
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", look);
}
