/** The icons in use, from Tabler; only these are bundled. */

import alert from "@tabler/icons/outline/alert-triangle.svg?raw";
import arrowLeft from "@tabler/icons/outline/arrow-left.svg?raw";
import back5 from "@tabler/icons/outline/rewind-backward-5.svg?raw";
import bookmark from "@tabler/icons/outline/bookmark.svg?raw";
import broadcast from "@tabler/icons/outline/broadcast.svg?raw";
import certificate from "@tabler/icons/outline/file-certificate.svg?raw";
import chevronDown from "@tabler/icons/outline/chevron-down.svg?raw";
import chevronLeft from "@tabler/icons/outline/chevron-left.svg?raw";
import chevronRight from "@tabler/icons/outline/chevron-right.svg?raw";
import clock from "@tabler/icons/outline/calendar-time.svg?raw";
import close from "@tabler/icons/outline/x.svg?raw";
import database from "@tabler/icons/outline/database-off.svg?raw";
import download from "@tabler/icons/outline/download.svg?raw";
import forward5 from "@tabler/icons/outline/rewind-forward-5.svg?raw";
import keyboard from "@tabler/icons/outline/keyboard.svg?raw";
import link from "@tabler/icons/outline/link.svg?raw";
import logout from "@tabler/icons/outline/logout.svg?raw";
import loader from "@tabler/icons/outline/loader-2.svg?raw";
import lost from "@tabler/icons/outline/plug-connected-x.svg?raw";
import maximise from "@tabler/icons/outline/maximize.svg?raw";
import minimise from "@tabler/icons/outline/minimize.svg?raw";
import off from "@tabler/icons/outline/video-off.svg?raw";
import map from "@tabler/icons/outline/map-2.svg?raw";
import pause from "@tabler/icons/filled/player-pause.svg?raw";
import picture from "@tabler/icons/outline/photo-down.svg?raw";
import plus from "@tabler/icons/outline/plus.svg?raw";
import play from "@tabler/icons/filled/player-play.svg?raw";
import save from "@tabler/icons/outline/device-floppy.svg?raw";
import scissors from "@tabler/icons/outline/scissors.svg?raw";
import stepBack from "@tabler/icons/outline/player-skip-back.svg?raw";
import stepForward from "@tabler/icons/outline/player-skip-forward.svg?raw";
import tree from "@tabler/icons/outline/list-tree.svg?raw";
import together from "@tabler/icons/outline/layout-grid.svg?raw";
import video from "@tabler/icons/outline/video.svg?raw";
import wall from "@tabler/icons/outline/device-tv.svg?raw";
import wait from "@tabler/icons/outline/clock-pause.svg?raw";
import zoomIn from "@tabler/icons/outline/zoom-in.svg?raw";
import zoomOut from "@tabler/icons/outline/zoom-out.svg?raw";
import { html, type TemplateResult } from "lit";
import { unsafeSVG } from "lit/directives/unsafe-svg.js";

const SOURCES = {
  alert,
  arrowLeft,
  back5,
  bookmark,
  broadcast,
  certificate,
  chevronDown,
  chevronLeft,
  chevronRight,
  clock,
  close,
  database,
  download,
  forward5,
  keyboard,
  link,
  logout,
  loader,
  lost,
  maximise,
  minimise,
  map,
  off,
  pause,
  picture,
  play,
  plus,
  save,
  scissors,
  stepBack,
  stepForward,
  together,
  tree,
  video,
  wait,
  wall,
  zoomIn,
  zoomOut,
} as const;

export type IconName = keyof typeof SOURCES;

/** Decoration beside a text or inside a labelled button: hidden from screen readers. */
export function icon(name: IconName): TemplateResult {
  const marked = SOURCES[name].replace(/class="[^"]*"/, 'aria-hidden="true" focusable="false"');
  return html`${unsafeSVG(marked)}`;
}
