/** Has the browser keep a page for when the centre is out of reach, in the language of the page before. */

import { remember } from "../parts/memory";
import { IN_VAIN, SPOKEN } from "./kept";

const WORKER = "/away-worker.js";
/** The worker of a paired screen, which opens its wall instead (watch/kept-page.ts). */
const OF_SCREENS = "/screen-worker.js";

async function keep(): Promise<void> {
  const known = await navigator.serviceWorker.getRegistration("/");
  const scripts = [known?.active, known?.waiting, known?.installing].map((one) => one?.scriptURL ?? "");
  if (scripts.some((address) => address.endsWith(OF_SCREENS))) return;
  await navigator.serviceWorker.register(WORKER);
}

const { language, signedIn } = document.documentElement.dataset;
if (language !== undefined) remember(SPOKEN, language);
try {
  sessionStorage.removeItem(IN_VAIN);
} catch {
  // A browser that keeps nothing has nothing to forget.
}
// Only who comes in and may come back is served by it. Browsers have no workers over plain HTTP.
if (signedIn !== undefined && "serviceWorker" in navigator) {
  addEventListener("load", () => {
    // A browser that keeps nothing shows its own page.
    keep().catch(() => undefined);
  });
}
