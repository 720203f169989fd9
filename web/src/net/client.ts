/** Requests to the node. The session travels in a cookie that scripts cannot read. */

import { Problem, problemOf } from "./problem";
import type { Camera, Session, StreamName, Timeline } from "./types";

const API = "/api/v1";

export function iso(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}

function address(path: string, query: Record<string, string | number | undefined> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${API}${path}?${text}` : `${API}${path}`;
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    throw new Problem("unreachable", 0, "");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function json<T>(url: string, init?: RequestInit): Promise<T> {
  const response = await ask(url, init);
  return (await response.json()) as T;
}

export function signIn(code: string): Promise<{ subject: string; expires: string }> {
  return json(address("/session"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
}

export function session(): Promise<Session> {
  return json(address("/session"));
}

export async function signOut(): Promise<void> {
  await ask(address("/session"), { method: "DELETE" });
}

export async function cameras(): Promise<Camera[]> {
  const answer = await json<{ cameras: Camera[] }>(address("/cameras"));
  return answer.cameras;
}

export const changesAddress = address("/changes");

export function timeline(
  camera: string,
  stream: StreamName,
  fromMs: number,
  toMs: number,
  resolutionSeconds: number,
  signal: AbortSignal,
): Promise<Timeline> {
  const query = { from: iso(fromMs), to: iso(toMs), resolution: resolutionSeconds.toFixed(3), stream };
  return json(address(`/cameras/${camera}/timeline`, query), { signal });
}

export interface Still {
  picture: ImageBitmap;
  /** Exact time of the picture, ms since 1970, when the node said it. */
  atMs: number | null;
}

export async function still(
  camera: string,
  stream: StreamName,
  atMs: number,
  width: number,
  precision: "frame" | "keyframe",
  signal: AbortSignal,
): Promise<Still> {
  const query = { at: iso(atMs), width, stream, precision };
  const response = await ask(address(`/cameras/${camera}/still`, query), { signal });
  const exact = response.headers.get("X-Xomyen-Time");
  const picture = await createImageBitmap(await response.blob());
  return { picture, atMs: exact ? Date.parse(exact) : null };
}

export type Note = "sub_instead" | "transcoded";

export interface PlaylistAnswer {
  url: string;
  text: string;
  /** Set when what is listed is not the stream as it was recorded. */
  note: Note | null;
}

export async function playlist(
  camera: string,
  stream: StreamName,
  fromMs: number,
  toMs: number,
  codecs: readonly string[],
  signal: AbortSignal,
): Promise<PlaylistAnswer> {
  const query = { from: iso(fromMs), to: iso(toMs), codecs: codecs.join(",") };
  const url = new URL(address(`/cameras/${camera}/${stream}/index.m3u8`, query), location.href).href;
  const response = await ask(url, { signal });
  const note = response.headers.get("X-Xomyen-Note");
  const known = note === "sub_instead" || note === "transcoded" ? note : null;
  return { url, text: await response.text(), note: known };
}

/** Part of a file; `length` null means all of it. */
export async function bytes(
  url: string,
  range: { offset: number; length: number } | null,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  const headers: Record<string, string> = {};
  if (range) headers.Range = `bytes=${range.offset}-${range.offset + range.length - 1}`;
  const response = await ask(url, { signal, headers });
  const data = await response.arrayBuffer();
  // A server may ignore the range and send the whole file.
  if (range && response.status === 200) return data.slice(range.offset, range.offset + range.length);
  return data;
}

export function clipAddress(
  kind: "clip" | "export",
  camera: string,
  stream: StreamName,
  fromMs: number,
  toMs: number,
  run?: string,
): string {
  return address(`/cameras/${camera}/${kind}`, { from: iso(fromMs), to: iso(toMs), stream, run });
}

/** Asks for the first byte only: any refusal comes here, and the answer tells the whole size. */
export async function clipSize(url: string, signal: AbortSignal): Promise<number | null> {
  const response = await ask(url, { signal, headers: { Range: "bytes=0-0" } });
  const total = /\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1];
  const length = response.status === 206 ? total : response.headers.get("Content-Length");
  await response.body?.cancel();
  return length ? Number(length) : null;
}
