/* global FILES, PAGE, VERSION, URL, Request, Response, caches, clearTimeout, fetch, self, setTimeout */
/* Shows a page of its own while the centre is out of reach, instead of the browser's. Of the centre it keeps that page and
   the files it is made of, nothing that anybody was shown. The build puts their names in front (vite.centre.config.mjs). */

const CACHE = `xomyen-away-${VERSION}`;
/** As long as pages take at most on a line that can be worked with, many times over. */
const PATIENCE_MS = 30_000;
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
    answer = await inTime(asked(event));
    if (!AWAY.includes(answer.status)) return answer;
  } catch {
    // Out of reach.
  }
  return (await kept(PAGE)) ?? answer ?? Response.error();
}

async function asked(event) {
  return (await event.preloadResponse) ?? fetch(event.request);
}

/** Only the beginning has to come in time: what is long takes its time. */
async function inTime(promise) {
  let timer = 0;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(refuse, PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function file(request) {
  return (await kept(request)) ?? fetch(request);
}

function kept(request) {
  return caches.match(request, { cacheName: CACHE, ignoreVary: true });
}
