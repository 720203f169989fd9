/** What this browser can play through Media Source Extensions. */

type MediaSourceType = typeof MediaSource;

/** The iPhone offers only the managed kind. */
export function mediaSourceType(): MediaSourceType | null {
  const scope = globalThis as { MediaSource?: MediaSourceType; ManagedMediaSource?: MediaSourceType };
  return scope.MediaSource ?? scope.ManagedMediaSource ?? null;
}

export type Codec = "h264" | "h265";

/** Main profile, level 4.1: what nearly every camera sends. */
const PROBES: Record<Codec, string[]> = {
  h264: ['video/mp4; codecs="avc1.64002a"'],
  h265: ['video/mp4; codecs="hvc1.1.6.L123.B0"'],
};

let known: Codec[] | null = null;

export function playableCodecs(): Codec[] {
  const type = mediaSourceType();
  known ??= (Object.keys(PROBES) as Codec[]).filter((codec) => PROBES[codec].some((m) => type?.isTypeSupported(m)));
  return known;
}
