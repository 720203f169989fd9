/** What the keyboard does on the player page. */

import type { Press } from "../parts/transport";

export type KeyAction =
  | Press
  | { skip: number }
  | { speed: 1 | -1 }
  | { mark: "from" | "to" }
  | { camera: 1 | -1 }
  | { leave: true };

/** What the page can do when it is told. */
export interface Player {
  onPress(what: Press): void;
  skip(ms: number): void;
  faster(by: 1 | -1): void;
  mark(end: "from" | "to"): void;
  other(by: 1 | -1): void;
  leave(): void;
}

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

export function obey(player: Player, what: KeyAction): void {
  if (typeof what === "string") player.onPress(what);
  else if ("skip" in what) player.skip(what.skip);
  else if ("speed" in what) player.faster(what.speed);
  else if ("mark" in what) player.mark(what.mark);
  else if ("camera" in what) player.other(what.camera);
  else player.leave();
}
