/** The binary messages of the live WebSocket (docs/api.md, "Live"). */

export const HEADER_BYTES = 12;

export type FrameKind = "init" | "fragment" | "keyframe";

export interface Frame {
  kind: FrameKind;
  view: number;
  /** Wall time of the fragment's first picture, ms since 1970. */
  wallMs: number;
  payload: Uint8Array<ArrayBuffer>;
}

const KINDS: readonly FrameKind[] = ["init", "fragment", "keyframe"];

/** Null for a version or kind that this page does not know. */
export function readFrame(message: ArrayBuffer): Frame | null {
  if (message.byteLength < HEADER_BYTES) return null;
  const view = new DataView(message);
  const kind = KINDS[view.getUint8(1)];
  if (view.getUint8(0) !== 1 || !kind) return null;
  return {
    kind,
    view: view.getUint16(2),
    wallMs: Number(view.getBigInt64(4) / 1000n) / 1000,
    payload: new Uint8Array(message, HEADER_BYTES),
  };
}
