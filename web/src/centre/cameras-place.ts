/** The map in a site's form: where somebody clicks, or its middle, becomes the site's position. */

import "../tokens.css";
import "./watch/map.css";
import type { Drawing, DrawnSite } from "./watch/map-drawing";
import { readStart, type Start } from "./watch/office";
import { type Box, placesIn, type Places, type View } from "./watch/places";
import type { Position } from "./watch/wedges";

const DIGITS = 6; // of degrees: a hand's breadth

/** `site` is the one whose form it is; empty for a new one. */
const start = readStart() as Start & { box: Box; site: string };
const side = document.querySelector<HTMLElement>(".place-map");
const ground = side?.querySelector<HTMLElement>(".map-ground");
const latitude = document.querySelector<HTMLInputElement>("#id_latitude");
const longitude = document.querySelector<HTMLInputElement>("#id_longitude");

if (side && ground && latitude && longitude) {
  let drawing: Drawing | null = null;
  let around: Places | null = null;
  let middle: Position | null = null;

  const typed = (): Position | null => {
    const [x = NaN, y = NaN] = [longitude, latitude].map(({ value }) => (value.trim() ? Number(value.replace(",", ".")) : NaN));
    return Math.abs(x) <= 180 && Math.abs(y) <= 90 ? [x, y] : null;
  };
  const draw = (): void => {
    const at = typed();
    const own: DrawnSite[] = at ? [{ key: "", name: side.dataset.here ?? "", at, state: "live", cameras: [] }] : [];
    const others = (around?.sites ?? []).filter(({ id }) => id !== start.site);
    const known = others.map(({ id, name, at }): DrawnSite => ({ key: id, name, at, state: "unknown", cameras: [] }));
    const units = (around?.units ?? []).flatMap(({ name, at }) => (at ? [{ name, at }] : []));
    drawing?.show([...own, ...known], units, around?.bunches ?? []);
  };
  const put = ([x, y]: Position): void => {
    longitude.value = x.toFixed(DIGITS);
    latitude.value = y.toFixed(DIGITS);
    draw();
  };
  const look = async (view: View): Promise<void> => {
    const [west, south, east, north] = view.box;
    middle = [(west + east) / 2, (south + north) / 2];
    draw();
    around = await placesIn(start.map, view).catch(() => around); // without the others it is a map as well
    draw();
  };

  side.querySelector("button.place-middle")?.addEventListener("click", () => middle && put(middle));
  for (const field of [latitude, longitude]) {
    field.addEventListener("change", () => {
      const at = typed();
      if (at) drawing?.reveal(at);
      draw();
    });
  }
  import("./watch/map-drawing")
    .then(({ Drawing }) => {
      drawing = new Drawing(ground, start.tiles, start.box, { chosen: () => undefined, picked: put, moved: (view) => void look(view) });
    })
    .catch(() => (side.hidden = true)); // no WebGL: degrees are typed
}
