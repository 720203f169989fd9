/** Requests to one node, through its door: the page's own node, or one elsewhere that is shown a ticket. */

import { Problem, problemOf } from "./problem";
import type { Camera, Session, StreamName, Timeline } from "./types";

const API = "/api/v1";

/** How a page gets into a node. */
export interface Door {
  /** The node's origin, such as https://camera.example:8460; empty for the node that the page comes from. */
  readonly base: string;
  /** The ticket to show; null where the session's cookie counts, which scripts cannot read. */
  ticket(): string | null;
  /** A ticket that lasts as long as a download may take; null where the session's cookie counts. */
  toTake(camera: string, fromMs: number, toMs: number): Promise<string | null>;
}

export const OWN_DOOR: Door = { base: "", ticket: () => null, toTake: () => Promise.resolve(null) };

export function iso(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}

export interface Still {
  picture: ImageBitmap;
  /** Exact time of the picture, ms since 1970, when the node said it. */
  atMs: number | null;
}

export type Note = "sub_instead" | "transcoded" | "masked";
const NOTES: readonly string[] = ["sub_instead", "transcoded", "masked"] satisfies Note[];

export interface ClipFacts {
  bytes: number | null;
  /** Whether private zones are black in it. */
  masked: boolean;
}

export interface PlaylistAnswer {
  url: string;
  text: string;
  /** Set when what is listed is not the stream as it was recorded. */
  note: Note | null;
}

type Query = Record<string, string | number | undefined>;

export class NodeClient {
  constructor(private readonly door: Door) {}

  session(): Promise<Session> {
    return this.json(this.address("/session"));
  }

  signIn(code: string): Promise<{ subject: string; expires: string }> {
    return this.json(this.address("/session"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
  }

  async signOut(): Promise<void> {
    await this.ask(this.address("/session"), { method: "DELETE" });
  }

  async cameras(): Promise<Camera[]> {
    const answer = await this.json<{ cameras: Camera[] }>(this.address("/cameras"));
    return answer.cameras;
  }

  /** Server-sent events, for as long as the ticket lasts. */
  changes(signal: AbortSignal): Promise<Response> {
    return this.ask(this.address("/changes"), { signal, headers: { Accept: "text/event-stream" }, cache: "no-store" });
  }

  timeline(
    camera: string,
    stream: StreamName,
    fromMs: number,
    toMs: number,
    resolutionSeconds: number,
    signal: AbortSignal,
  ): Promise<Timeline> {
    const query = { from: iso(fromMs), to: iso(toMs), resolution: resolutionSeconds.toFixed(3), stream };
    return this.json(this.address(`/cameras/${camera}/timeline`, query), { signal });
  }

  /** `atMs`: null for the newest picture there is. */
  async still(
    camera: string,
    stream: StreamName,
    atMs: number | null,
    width: number,
    precision: "frame" | "keyframe",
    signal: AbortSignal,
  ): Promise<Still> {
    const query = { at: atMs === null ? undefined : iso(atMs), width, stream, precision };
    const response = await this.ask(this.address(`/cameras/${camera}/still`, query), { signal });
    const exact = response.headers.get("X-Xomyen-Time");
    const picture = await createImageBitmap(await response.blob());
    return { picture, atMs: exact ? Date.parse(exact) : null };
  }

  async playlist(
    camera: string,
    stream: StreamName,
    fromMs: number,
    toMs: number,
    codecs: readonly string[],
    signal: AbortSignal,
  ): Promise<PlaylistAnswer> {
    const query = { from: iso(fromMs), to: iso(toMs), codecs: codecs.join(",") };
    const url = new URL(this.address(`/cameras/${camera}/${stream}/index.m3u8`, query), location.href).href;
    const response = await this.ask(url, { signal });
    const note = response.headers.get("X-Xomyen-Note");
    const known = note !== null && NOTES.includes(note);
    return { url, text: await response.text(), note: known ? (note as Note) : null };
  }

  /** Part of a file; `length` null means all of it. */
  async bytes(url: string, range: { offset: number; length: number } | null, signal: AbortSignal): Promise<ArrayBuffer> {
    const headers: Record<string, string> = {};
    if (range) headers.Range = `bytes=${range.offset}-${range.offset + range.length - 1}`;
    const response = await this.ask(url, { signal, headers });
    const data = await response.arrayBuffer();
    // A server may ignore the range and send the whole file.
    if (range && response.status === 200) return data.slice(range.offset, range.offset + range.length);
    return data;
  }

  /** Asks for the first byte only: any refusal comes here, and the answer tells the whole size where it is known. */
  async clipFacts(camera: string, stream: StreamName, fromMs: number, toMs: number, signal: AbortSignal): Promise<ClipFacts> {
    const url = this.taken("clip", camera, stream, fromMs, toMs);
    const response = await this.ask(url, { signal, headers: { Range: "bytes=0-0" } });
    const total = /\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1];
    const length = response.status === 206 ? total : response.headers.get("Content-Length");
    await response.body?.cancel();
    return { bytes: length ? Number(length) : null, masked: response.headers.get("X-Xomyen-Note") === "masked" };
  }

  /** Lets the browser save a clip, or the signed package. */
  async take(kind: "clip" | "export", camera: string, stream: StreamName, fromMs: number, toMs: number, run?: string): Promise<void> {
    const url = this.taken(kind, camera, stream, fromMs, toMs, run);
    const ticket = await this.door.toTake(camera, fromMs, toMs);
    if (ticket === null) follow(url);
    else post(url, ticket);
  }

  /** Where live pictures come from. */
  get liveAddress(): string {
    const origin = this.door.base || location.origin;
    return `${origin.replace(/^http/, "ws")}${API}/live`;
  }

  private taken(kind: string, camera: string, stream: StreamName, fromMs: number, toMs: number, run?: string): string {
    return this.address(`/cameras/${camera}/${kind}`, { from: iso(fromMs), to: iso(toMs), stream, run });
  }

  private address(path: string, query: Query = {}): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    const text = parameters.toString();
    const whole = `${this.door.base}${API}${path}`;
    return text ? `${whole}?${text}` : whole;
  }

  private async ask(url: string, init: RequestInit = {}): Promise<Response> {
    const ticket = this.door.ticket();
    const headers = new Headers(init.headers);
    if (ticket !== null) headers.set("Authorization", `Bearer ${ticket}`);
    let response: Response;
    try {
      response = await fetch(url, { credentials: ticket === null ? "same-origin" : "omit", ...init, headers });
    } catch (reason) {
      if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
      throw new Problem("unreachable", 0, "");
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  private async json<T>(url: string, init?: RequestInit): Promise<T> {
    const response = await this.ask(url, init);
    return (await response.json()) as T;
  }
}

function follow(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** A form brings the ticket along to another origin: it stands in no address, and the browser saves the answer. */
function post(url: string, ticket: string): void {
  const form = document.createElement("form");
  form.method = "post";
  form.action = url;
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "ticket";
  field.value = ticket;
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}
