/** Names and numbers over the map: they are texts of the page, in its own font. */

import type { Position } from "./wedges";

export interface Label {
  at: Position;
  text: string;
  /** How many of a bunch's cameras are lost. */
  lost: number;
  kind: "site" | "unit" | "bunch";
}

export interface Spot {
  x: number;
  y: number;
}

/** Of a name: where its left upper corner is, and how large it is. */
export interface Field extends Spot {
  width: number;
  height: number;
}

/** Between a point's middle and its name. */
const AWAY_PX = 12;
/** Of the largest point. */
const POINT_PX = 12;
/** The map's own buttons, in the corner. */
const BUTTONS: Field = { x: 0, y: 0, width: 64, height: 108 };

/** Where a name may stand, the best first: below its point, above it, beside it. */
function fields({ x, y }: Spot, width: number, height: number): Field[] {
  const beside = AWAY_PX + 2;
  const size = { width, height };
  return [
    { x: x - width / 2, y: y + AWAY_PX, ...size },
    { x: x - width / 2, y: y - AWAY_PX - height, ...size },
    { x: x + beside, y: y - height / 2, ...size },
    { x: x - beside - width, y: y - height / 2, ...size },
  ];
}

function apart(one: Field, other: Field): boolean {
  return (
    one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y
  );
}

function spares(field: Field, { x, y }: Spot): boolean {
  const besides = x + POINT_PX <= field.x || x - POINT_PX >= field.x + field.width;
  return besides || y + POINT_PX <= field.y || y - POINT_PX >= field.y + field.height;
}

/** Where a name at its own point covers neither what has been put there, nor another point, nor the edge; or nowhere. */
export function freeField(
  own: Spot,
  size: { width: number; height: number },
  room: number,
  taken: readonly Field[],
  others: readonly Spot[],
): Field | undefined {
  return fields(own, size.width, size.height).find(
    (field) =>
      field.x >= 0 &&
      field.x + field.width <= room &&
      taken.every((other) => apart(field, other)) &&
      others.every((spot) => spares(field, spot)),
  );
}

export class Labels {
  private shown: { element: HTMLElement; label: Label; width: number; height: number }[] = [];
  private points: readonly Position[] = [];

  constructor(
    private readonly container: HTMLElement,
    private readonly project: (at: Position) => Spot,
  ) {}

  /** `points`: all that is drawn and that no name may cover. */
  show(labels: readonly Label[], points: readonly Position[]): void {
    for (const { element } of this.shown) element.remove();
    this.points = points;
    const made = labels.map((label) => ({ element: this.make(label), label }));
    this.shown = made.map(({ element, label }) => ({ element, label, width: element.offsetWidth, height: element.offsetHeight }));
    this.place();
  }

  /** Names stand where they cover neither another name nor a point, or not at all; numbers stand in their circles. */
  place(): void {
    const room = this.container.clientWidth;
    const taken: Field[] = [{ ...BUTTONS, x: room - BUTTONS.width }];
    const points = this.points.map((at) => ({ at, spot: this.project(at) }));
    for (const { element, label, width, height } of this.shown) {
      const own = this.project(label.at);
      if (label.kind === "bunch") {
        element.style.transform = `translate(${own.x}px, ${own.y}px) translate(-50%, -50%)`;
        continue;
      }
      const others = points.filter(({ at }) => at[0] !== label.at[0] || at[1] !== label.at[1]);
      const free = freeField(own, { width, height }, room, taken, others.map(({ spot }) => spot));
      if (free) {
        taken.push(free);
        element.style.transform = `translate(${free.x}px, ${free.y}px)`;
      }
      element.hidden = !free;
    }
  }

  /** The list beside the map has the same for readers of screens. */
  private make(label: Label): HTMLElement {
    const element = document.createElement("span");
    element.className = `${label.kind}-name`;
    element.textContent = label.text;
    element.setAttribute("aria-hidden", "true");
    if (label.lost) {
      const lost = document.createElement("i");
      lost.textContent = String(label.lost);
      element.append(lost);
    }
    this.container.append(element);
    return element;
  }
}
