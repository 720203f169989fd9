/* global AbortSignal, URL, Response, caches, fetch, self */
/* Lets the wall of a paired screen open while the centre is out of reach. It keeps nothing: the page does that
   (src/centre/watch/kept-page.ts), and nothing but the page of the wall and the files it is made of. */

const WALL = "/live";
const TO_WALL = ["/", "/pair", "/pair/"];
const PATIENCE_MS = 8000;

self.addEventListener("install", () => self.skipWaiting());
// The worker of a person who was signed in here before (src/centre/away-worker.mjs) asked for pages ahead.
self.addEventListener("activate", (event) =>
  event.waitUntil(Promise.all([self.clients.claim(), self.registration.navigationPreload?.disable()])),
);

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (pathname === WALL || TO_WALL.includes(pathname)) event.respondWith(page(request, pathname));
  } else if (pathname.startsWith("/static/")) {
    event.respondWith(file(request));
  }
});

/** The centre's own answer; without it, the wall as it was last. */
async function page(request, pathname) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status < 502 || answer.status > 504) return answer;
  } catch {
    // Out of reach.
  }
  if (pathname !== WALL) return Response.redirect(WALL, 302);
  return (await kept(WALL)) ?? Response.error();
}

/** What is kept was built under this very name; what is not, the centre has. */
async function file(request) {
  return (await kept(request)) ?? fetch(request);
}

function kept(request) {
  return caches.match(request, { ignoreVary: true });
}
