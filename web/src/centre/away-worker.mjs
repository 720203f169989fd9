/* global FILES, PAGE, VERSION, AbortSignal, URL, Request, Response, caches, clearTimeout, fetch, self, setTimeout */
/* Shows a page of its own while the centre is out of reach, instead of the browser's. Of the centre it keeps that page and
   the files it is made of, nothing that anybody was shown. The build puts their names in front (vite.centre.config.mjs). */

const CACHE = `xomyen-away-${VERSION}`;
/** What the centre answers without any work. */
const WELL = "/well/";
/** As long as pages take at most on a line that can be worked with, many times over. */
const PATIENCE_MS = 30_000;
const WELL_WITHIN_MS = 8000;
/** What a proxy answers whose centre is away. */
const AWAY = [502, 503, 504];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => event.waitUntil(Promise.all([forgetOld(), self.registration.navigationPreload?.enable()])));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    // What is sent by a form is left to the browser, which offers to send it again.
    if (request.destination === "document") event.respondWith(page(event));
  } else {
    const { origin, pathname } = new URL(request.url);
    if (origin === self.location.origin && FILES.includes(pathname)) event.respondWith(file(request));
  }
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((name) => new Request(name, { cache: "no-cache" })));
}

async function forgetOld() {
  for (const name of await caches.keys()) {
    if (name.startsWith("xomyen-away-") && name !== CACHE) await caches.delete(name);
  }
}

/** The centre's own answer, else the page that says it does not answer. */
async function page(event) {
  let answer = null;
  try {
    answer = await whileWell(asked(event));
    if (!AWAY.includes(answer.status)) return answer;
  } catch {
    // Out of reach.
  }
  return (await kept(PAGE)) ?? answer ?? Response.error();
}

async function asked(event) {
  return (await event.preloadResponse) ?? fetch(event.request);
}

/** A page that takes its time is waited for as long as the centre answers at all; rejects once it does not. */
async function whileWell(promise) {
  let inTime;
  while ((inTime = await within(PATIENCE_MS, promise)) === null) await Promise.race([promise, well()]);
  return inTime;
}

/** Its outcome; null when there is none yet. */
async function within(ms, promise) {
  let timer = 0;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, null)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function well() {
  const answer = await fetch(WELL, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(WELL_WITHIN_MS) });
  if (AWAY.includes(answer.status)) throw new Error("away");
}

async function file(request) {
  return (await kept(request)) ?? fetch(request);
}

function kept(request) {
  return caches.match(request, { cacheName: CACHE, ignoreVary: true });
}
