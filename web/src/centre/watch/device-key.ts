/** A paired screen's own key: with it and a grant the nodes go on showing pictures while the centre is away (RFC 9449). */

import { asProblem, Problem, problemOf } from "../../net/problem";
import { askNode, proofFor } from "./device-proof";
import { forgetPage, keepPage } from "./kept-page";
import { type Given, type GivenTicket, post } from "./office";

const DATABASE = "xomyen-screen";
const STORE = "kept";
const DAY_MS = 86_400_000;

export interface Grants {
  atMs: number;
  /** By the centre's clock, in seconds. An earlier version of this page did not keep it. */
  issued?: number | undefined;
  given: GivenTicket[];
}

/** Whether others are to be asked for, as the centre said when it gave its last tickets. */
export function outdated(grants: Grants | null, said: Given, nowMs: number): boolean {
  if (!grants || Math.abs(nowMs - grants.atMs) >= DAY_MS) return true;
  // An end reaches what was granted in the same second.
  if (said.ended && (grants.issued ?? 0) <= said.ended) return true;
  // Rights that are known to end are granted until then. This machine's own clock may be wrong.
  return grants.given.some((one) => one.expires <= said.issued);
}

export class DeviceKey {
  private asked: Promise<void> | null = null;
  /** When the page was kept, by this document. */
  private pageMs = 0;

  constructor(private readonly address: string) {}

  /** Whether this browser can keep a key that no script can read: over TLS, or on the machine itself. */
  static get possible(): boolean {
    return isSecureContext && "subtle" in crypto && "indexedDB" in globalThis;
  }

  /** Has grants of today that count still; asked whenever the centre has given tickets. */
  keep(said: Given): Promise<void> {
    this.asked ??= this.fetch(said).finally(() => (this.asked = null));
    return this.asked;
  }

  /** Tickets from the nodes themselves, of those that answer. */
  async tickets(): Promise<GivenTicket[]> {
    const kept = await read<Grants>("grants");
    const key = await read<CryptoKeyPair>("key");
    if (!kept || !key) return [];
    const asked = kept.given.map((one) => fromNode(key, one));
    const found = await Promise.allSettled(asked);
    return found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }

  /** The centre knows this screen no more. */
  async forget(): Promise<void> {
    await forgetPage();
    await write("grants", undefined);
    await write("key", undefined);
  }

  private async fetch(said: Given): Promise<void> {
    if (Date.now() - this.pageMs > DAY_MS) {
      this.pageMs = Date.now();
      // Without it the wall that is open goes on all the same.
      await keepPage().catch(() => undefined);
    }
    if (!outdated(await read<Grants>("grants"), said, Date.now())) return;
    try {
      const key = await keyOfThisBrowser();
      const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key.publicKey);
      const { tickets, issued } = await post<Given>(this.address, { key: { kty, crv, x, y } });
      // None: another key was known before. It is asked again with the next tickets.
      if (tickets.length) await write("grants", { atMs: Date.now(), issued, given: tickets });
    } catch (reason) {
      // What is kept counts until its end, and the next round asks again.
      if (asProblem(reason).status === 404) await this.forget();
    }
  }
}

async function fromNode(key: CryptoKeyPair, grant: GivenTicket): Promise<GivenTicket> {
  const url = new URL("/api/v1/session/by-key", grant.address).href;
  let nonce = "";
  for (;;) {
    const response = await askNode(url, grant.ticket, await proofFor(key, url, grant.ticket, nonce));
    if (response.ok) {
      const given = (await response.json()) as { ticket: string; expires: number };
      return { ...grant, ticket: given.ticket, expires: given.expires };
    }
    const wanted = response.headers.get("DPoP-Nonce");
    if (!wanted || nonce) throw await problemOf(response);
    nonce = wanted;
  }
}

async function keyOfThisBrowser(): Promise<CryptoKeyPair> {
  const known = await read<CryptoKeyPair>("key");
  if (known) return known;
  // What is kept is a handle: the browser signs with it and gives it to nobody, this page included.
  const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  await write("key", made);
  return made;
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Problem("storage", 0, request.error?.message ?? ""));
  });
}

async function read<T>(name: string): Promise<T | null> {
  const database = await open();
  try {
    return ((await done(database.transaction(STORE).objectStore(STORE).get(name))) as T | undefined) ?? null;
  } finally {
    database.close();
  }
}

async function write(name: string, value: unknown): Promise<void> {
  const database = await open();
  try {
    const store = database.transaction(STORE, "readwrite").objectStore(STORE);
    if (value === undefined) await done(store.delete(name));
    else await done(store.put(value, name));
  } finally {
    database.close();
  }
}
