/** What the keyboard does on the player page. */

import type { Press } from "../parts/transport";

export type KeyAction =
  | Press
  | { skip: number }
  | { speed: 1 | -1 }
  | { mark: "from" | "to" }
  | { camera: 1 | -1 }
  | { leave: true };

interface Stroke {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  composedPath(): EventTarget[];
}

const PLAIN: Readonly<Record<string, KeyAction>> = {
  " ": "play",
  k: "play",
  ",": "frame-back",
  ".": "frame-forward",
  "+": "zoom-in",
  "=": "zoom-in",
  "-": "zoom-out",
  g: "jump",
  n: "now",
  End: "now",
  f: "full",
  i: { mark: "from" },
  o: { mark: "to" },
  ArrowUp: { speed: 1 },
  ArrowDown: { speed: -1 },
  PageUp: { camera: -1 },
  PageDown: { camera: 1 },
  Escape: { leave: true },
};

/** Typing in a field or choosing in a list is not meant for the player; Space on a button presses it. */
function isForAnother(stroke: Stroke): boolean {
  const target = stroke.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog")) return true;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return true;
  return stroke.key === " " && (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement);
}

export function cameraKey(stroke: Stroke): KeyAction | null {
  if (stroke.ctrlKey || stroke.metaKey || stroke.altKey || isForAnother(stroke)) return null;
  if (stroke.key === "ArrowLeft" || stroke.key === "ArrowRight") {
    const length = stroke.shiftKey ? 60_000 : 5000;
    return { skip: stroke.key === "ArrowLeft" ? -length : length };
  }
  const key = stroke.key.length === 1 ? stroke.key.toLowerCase() : stroke.key;
  return PLAIN[key] ?? null;
}
