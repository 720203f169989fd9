/** Addresses of the pages. Every moment has one that can be sent. */

/** As many cameras as are looked back at side by side. */
export const MOST_TOGETHER = 9;

export type Route =
  | { page: "signin"; code: string | null }
  | { page: "live" }
  | { page: "together"; cameras: string[]; atMs: number | null }
  | { page: "camera"; camera: string; atMs: number | null; selection: { from: number; to: number } | null };

export function readRoute(address: { pathname: string; search: string; hash: string }): Route {
  const path = address.pathname.replace(/\/+$/, "");
  if (path === "/signin") {
    const code = decodeURIComponent(address.hash.replace(/^#(?:code=)?/, "")).trim();
    return { page: "signin", code: code || null };
  }
  const camera = /^\/camera\/([0-9a-fA-F-]{36})$/.exec(path)?.[1];
  if (camera) {
    const query = new URLSearchParams(address.search);
    const moment = (name: string): number | null => {
      const ms = Date.parse(query.get(name) ?? "");
      return Number.isNaN(ms) ? null : ms;
    };
    const from = moment("from");
    const to = moment("to");
    const selection = from !== null && to !== null && to > from ? { from, to } : null;
    return { page: "camera", camera: camera.toLowerCase(), atMs: moment("at"), selection };
  }
  if (path === "/together") {
    const query = new URLSearchParams(address.search);
    const listed = (query.get("cameras") ?? "").toLowerCase().split(",");
    const at = Date.parse(query.get("at") ?? "");
    const cameras = [...new Set(listed)].filter((id) => /^[0-9a-f-]{36}$/.test(id));
    return { page: "together", cameras: cameras.slice(0, MOST_TOGETHER), atMs: Number.isNaN(at) ? null : at };
  }
  return { page: "live" };
}

export function cameraAddress(
  camera: string,
  atMs: number | null,
  selection: { from: number; to: number } | null = null,
): string {
  const query = new URLSearchParams();
  const text = (ms: number): string => new Date(Math.round(ms)).toISOString();
  if (atMs !== null) query.set("at", text(atMs));
  if (selection) {
    query.set("from", text(selection.from));
    query.set("to", text(selection.to));
  }
  // Colons are legal in a query (RFC 3986 §3.4) and read better in a message.
  const tail = query.toString().replaceAll("%3A", ":");
  return `/camera/${camera}${tail ? `?${tail}` : ""}`;
}

/** Several cameras side by side at a moment of the past. */
export function togetherAddress(cameras: readonly string[], atMs: number): string {
  return `/together?cameras=${cameras.join(",")}&at=${new Date(Math.round(atMs)).toISOString()}`;
}

/** Goes to a page of the application without loading it anew. */
export function go(address: string, replace = false): void {
  later = null;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  globalThis.dispatchEvent(new Event("xy-route"));
}

/** Safari refuses more than 100 changes of the address in 30 s; dragging and held keys make hundreds. */
const AT_ONCE = 10;
const NEXT_MS = 500;
let left = AT_ONCE;
let filledAt = -Infinity;
let later: string | null = null;
let timer = 0;

/** The page is the same, its address says where it is now; a little later when it changes all the time. */
export function follow(address: string): void {
  const now = performance.now();
  const more = Math.floor((now - filledAt) / NEXT_MS);
  if (more > 0) {
    left = Math.min(AT_ONCE, left + more);
    filledAt = now;
  }
  if (left > 0) {
    left -= 1;
    go(address, true);
    return;
  }
  later = address;
  clearTimeout(timer);
  timer = setTimeout(() => {
    // The browser's own "back" may have led to another page meanwhile.
    if (later?.split("?")[0] === location.pathname) follow(later);
  }, NEXT_MS);
}
