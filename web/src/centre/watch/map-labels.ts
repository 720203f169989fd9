/** Names and numbers over the map: they are texts of the page, in its own font. */

import type { Position } from "./wedges";

export interface Label {
  at: Position;
  text: string;
  /** How many of a bunch's cameras are lost. */
  lost: number;
  kind: "site" | "unit" | "bunch";
}

const HEIGHT_PX = 22;
const LETTER_PX = 7;
/** A name stands below its point. */
const BELOW_PX = 12;

export class Labels {
  private shown: { element: HTMLElement; label: Label }[] = [];

  constructor(
    private readonly container: HTMLElement,
    private readonly project: (at: Position) => { x: number; y: number },
  ) {}

  show(labels: readonly Label[]): void {
    for (const { element } of this.shown) element.remove();
    this.shown = labels.map((label) => ({ element: this.make(label), label }));
    this.place();
  }

  /** Names are hidden where they would lie on another; numbers stand in their circles. */
  place(): void {
    const taken: { x: number; y: number; width: number }[] = [];
    for (const { element, label } of this.shown) {
      const { x, y } = this.project(label.at);
      if (label.kind === "bunch") {
        element.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
        continue;
      }
      const width = label.text.length * LETTER_PX;
      const free = taken.every((other) => Math.abs(other.y - y) > HEIGHT_PX || Math.abs(other.x - x) > (other.width + width) / 2);
      if (free) taken.push({ x, y, width });
      element.hidden = !free;
      element.style.transform = `translate(${x}px, ${y + BELOW_PX}px) translateX(-50%)`;
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
