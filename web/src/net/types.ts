/** The node's answers, as docs/api.md names them. Times are UTC ISO-8601 strings. */

export type StreamName = "main" | "sub";
export type StreamState = "connecting" | "recording" | "lost" | "not_recording" | "disabled";
export type GapReason = "camera_silent" | "refused" | "network" | "node_stopped" | "disk" | "policy";
export type Action = "live" | "past" | "clip" | "still";

export interface Stream {
  state: StreamState;
  since: string;
  reason: GapReason | null;
  detail: string;
  codec: "h264" | "h265" | null;
  codec_string: string;
  width: number;
  height: number;
  recorded: boolean;
}

export interface Camera {
  id: string;
  name: string;
  site: string;
  order: number;
  enabled: boolean;
  streams: { main: Stream; sub?: Stream };
}

/** The stream whose pictures are kept: the main one unless only the other is recorded. */
export function keptStream(camera: Camera): StreamName {
  const { main, sub } = camera.streams;
  return !main.recorded && sub?.recorded ? "sub" : "main";
}

export interface Session {
  subject: string;
  expires: string;
  actions: Action[];
  cameras: "*" | string[];
  node: string;
}

export interface Span {
  from: string;
  to: string;
}

export interface Gap {
  from: string;
  to: string | null;
  reason: GapReason;
  detail: string;
  /** Seconds without footage: less than the stretch when several short gaps are told as one; null while it lasts. */
  missing: number | null;
}

/** What somebody must look at, told to those in charge alone. */
export interface Alarm {
  code: string;
  path: string;
  since: string;
  detail: string;
}

/** One continuous recording of a range, as the refusal `several_runs` lists it. */
export interface Run {
  run: string;
  from: string;
  to: string;
  bytes: number;
}

export interface Timeline {
  from: string;
  to: string;
  spans: Span[];
  gaps: Gap[];
  holds: Span[];
  keyframes?: string[];
  first: string | null;
  now: string;
}
