/** What a picture on the wall says about itself. It must be true at every moment. */

import type { GapReason, Stream } from "../net/types";

export type Reason = GapReason | "connection" | "no_right" | "mask" | "converter" | "busy" | "no_decoder" | "other";

export interface Observation {
  /** The node's clock, ms. */
  now: number;
  /** Since when the WebSocket is down; null while it is open. */
  socketDownSince: number | null;
  /** What the node last said about this view. */
  server: { state: "live" | "lost" | "connecting" | "refused"; reason: string | null; detail: string; since: number } | null;
  /** What the camera list says about the stream that is shown. */
  stream: Stream | null;
  /** The same about the stream that is kept: a wall may show the sub-stream of what is recorded as main stream. */
  kept: Stream | null;
  /** Wall time of the picture now on screen; null before the first. */
  shownWall: number | null;
  /** When a picture was last seen to change on the screen (node's clock). */
  lastAdvance: number | null;
  /** When media last arrived (node's clock). */
  lastBytes: number | null;
  /** When this view was asked for (node's clock). */
  askedAt: number;
  /** The browser has given up on what came. */
  undecodable: boolean;
}

export type PictureState =
  | { kind: "live"; lagMs: number }
  | { kind: "delayed"; seconds: number }
  | { kind: "not_recording"; since: number; reason: Reason | null }
  /** `detail`: what the machine said, in its own words; may be empty. */
  | { kind: "lost"; since: number; reason: Reason; detail: string }
  | { kind: "connecting"; since: number }
  | { kind: "disabled"; since: number };

/** Later than this is not "live" any more. */
export const DELAYED_MS = 2000;
/** Without media for this long a picture is lost, whatever anybody says. */
export const SILENT_MS = 10_000;

const REASONS: readonly string[] = ["camera_silent", "refused", "network", "node_stopped", "disk", "policy"];

export function reasonOf(text: string | null): Reason {
  if (text !== null && REASONS.includes(text)) return text as GapReason;
  if (text === "forbidden" || text?.endsWith("_not_allowed") || text?.startsWith("ticket_")) return "no_right";
  if (text === "mask_required") return "mask";
  if (text === "busy" || text === "converter") return text;
  return "other";
}

export function pictureState(seen: Observation): PictureState {
  const { stream, server, shownWall } = seen;
  if (stream?.state === "disabled") return { kind: "disabled", since: Date.parse(stream.since) };
  if (server?.state === "refused" || server?.state === "lost") {
    return { kind: "lost", since: server.since, reason: reasonOf(server.reason), detail: server.detail };
  }
  if (seen.socketDownSince !== null && seen.now - seen.socketDownSince > DELAYED_MS) {
    return { kind: "lost", since: shownWall ?? seen.socketDownSince, reason: "connection", detail: "" };
  }
  if (stream?.state === "lost" && (seen.lastBytes === null || seen.now - seen.lastBytes > DELAYED_MS)) {
    return { kind: "lost", since: Date.parse(stream.since), reason: reasonOf(stream.reason), detail: stream.detail };
  }
  if (shownWall === null || seen.lastAdvance === null) return beforeTheFirst(seen);
  return afterTheFirst(seen, shownWall, seen.lastAdvance);
}

function beforeTheFirst(seen: Observation): PictureState {
  if (seen.now - seen.askedAt > SILENT_MS) {
    const reason: Reason = seen.lastBytes !== null || seen.undecodable ? "no_decoder" : "camera_silent";
    return { kind: "lost", since: seen.askedAt, reason, detail: "" };
  }
  return { kind: "connecting", since: seen.askedAt };
}

function afterTheFirst(seen: Observation, shownWall: number, lastAdvance: number): PictureState {
  const lagMs = Math.max(0, seen.now - shownWall);
  const stillMs = Math.max(0, seen.now - lastAdvance);
  const silentMs = seen.lastBytes === null ? stillMs : Math.max(0, seen.now - seen.lastBytes);
  if (silentMs > SILENT_MS) return { kind: "lost", since: shownWall, reason: "camera_silent", detail: "" };
  const worst = Math.max(lagMs, stillMs);
  if (worst > DELAYED_MS) return { kind: "delayed", seconds: Math.round(worst / 1000) };
  const { kept } = seen;
  if (kept?.state === "not_recording" || (kept?.state === "lost" && kept !== seen.stream)) {
    return { kind: "not_recording", since: Date.parse(kept.since), reason: kept.reason ?? null };
  }
  return { kind: "live", lagMs };
}

/** Equal for the eye: nothing needs to be drawn again. */
export function sameState(a: PictureState, b: PictureState): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === "live") return true;
  if (a.kind === "delayed") return a.seconds === (b as typeof a).seconds;
  const other = b as typeof a;
  const said = (is: PictureState): string => `${"reason" in is ? is.reason : ""} ${"detail" in is ? is.detail : ""}`;
  return a.since === other.since && said(a) === said(other);
}
