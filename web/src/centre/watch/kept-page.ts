/** Keeps the page of a paired screen's wall in its browser, so that it opens while the centre is out of reach. */

const WORKER = "/screen-worker.js";
const CACHE = "xomyen-wall";
const WALL = "/live";

/** The page as the centre gives it now, and the files it has loaded; what was kept before goes. */
export async function keepPage(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(WORKER);
  const page = await fetch(WALL, { credentials: "same-origin", cache: "no-store" });
  if (!page.ok || page.redirected) return;
  const text = await page.clone().text();
  // Of another version than this one, that page wants files which this one has not loaded.
  if (![...document.scripts].every((script) => !script.src || text.includes(new URL(script.src).pathname))) return;
  const wanted = new Set([WALL, ...files()]);
  const cache = await caches.open(CACHE);
  await cache.addAll(files());
  await cache.put(WALL, page);
  for (const request of await cache.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

/** This browser shows no wall any more. */
export async function forgetPage(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await caches.delete(CACHE);
  for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
}

function files(): string[] {
  const loaded = performance.getEntriesByType("resource").map((entry) => new URL(entry.name));
  const own = loaded.filter((url) => url.origin === location.origin && url.pathname.startsWith("/static/"));
  return [...new Set(own.map((url) => url.pathname))];
}
