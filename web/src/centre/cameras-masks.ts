/** Draws what is hidden of a camera's picture, by mouse, finger or keys; the form around it keeps and sends it. */

import { html, LitElement, nothing, svg, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { asProblem } from "../net/problem";
import { LanguageController, problemText, t } from "../words";
import * as polygons from "./cameras-polygons";
import type { Corner, Mask } from "./cameras-polygons";
import { askCentre } from "./watch/office";

const STEP = 0.005; // parts of the picture for one press of an arrow
const LARGE_STEP = 0.05; // with Shift
const LEAST_DRAWN = 8; // pixels; less is a click
const REACH = 22; // pixels round a corner in which a finger takes hold of it
const LOOK_MS = 700;
const MOST_UNDONE = 100;
const ARROWS: Readonly<Record<string, Corner>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Look {
  job?: string;
  phase?: string;
  still?: string;
  trouble?: string;
}

/** What a pointer moves, and how all was when it began; a mask of -1 is yet to be drawn. */
interface Drag {
  mask: number;
  corner: number;
  from: Corner;
  before: readonly Mask[];
}

@customElement("xy-masks")
export class MasksElement extends LitElement {
  /** The id of the form's field. */
  @property() field = "";
  /** Where a look at the camera begins; empty for those who see no pictures. */
  @property() look = "";
  @property({ type: Number, attribute: "most-masks" }) mostMasks = 16;
  @property({ type: Number, attribute: "most-corners" }) mostCorners = 32;
  @state() private masks: readonly Mask[] = [];
  @state() private mask = -1;
  @state() private corner = -1;
  @state() private size: Corner = [0, 0];
  @state() private still = "";
  @state() private looking = false;
  @state() private trouble = "";
  @state() private solid = false;
  @state() private told = "";
  @query(".mask-ground") private ground!: HTMLElement;
  private past: (readonly Mask[])[] = [];
  private drag: Drag | null = null;
  private waiting = 0;
  private changed = false;
  private readonly sizes = new ResizeObserver(() => this.measure());

  constructor() {
    super();
    new LanguageController(this);
  }

  /** The look of the page's buttons counts here too. */
  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener("beforeunload", this.onLeave);
    this.closest("form")?.addEventListener("submit", this.onSubmit);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener("beforeunload", this.onLeave);
    this.closest("form")?.removeEventListener("submit", this.onSubmit);
    clearTimeout(this.waiting);
    this.sizes.disconnect();
  }

  override firstUpdated(): void {
    this.masks = polygons.readMasks(this.input?.value ?? "[]");
    this.sizes.observe(this.ground);
    this.measure();
    if (this.look) void this.begin();
  }

  override updated(changed: PropertyValues): void {
    if (changed.has("masks") && this.input) this.input.value = JSON.stringify(this.masks);
  }

  override render() {
    const [width, height] = this.size;
    return html`<div class="mask-tools" role="toolbar" aria-label=${t("mask.tools")}>
        <button type="button" class="btn" ?disabled=${this.masks.length >= this.mostMasks} @click=${this.onAdd}>${t("mask.add")}</button>
        <button type="button" class="btn" ?disabled=${!this.mayDropCorner} @click=${() => this.dropCorner()}>${t("mask.remove_corner")}</button>
        <button type="button" class="btn" ?disabled=${this.mask < 0} @click=${() => this.dropMask(this.mask)}>${t("mask.remove")}</button>
        <button type="button" class="btn" ?disabled=${!this.past.length} @click=${this.onUndo}>${t("mask.undo")}</button>
        <button type="button" class="btn" aria-pressed=${this.solid} @click=${() => (this.solid = !this.solid)}>${t("mask.solid")}</button>
        ${this.look
          ? html`<button type="button" class="btn" ?disabled=${this.looking} @click=${() => void this.begin()}>${t("mask.look")}</button>`
          : nothing}
      </div>
      <div class="mask-ground ${this.still ? "" : "plain"} ${this.solid ? "solid" : ""}">
        ${this.still ? html`<img alt=${t("mask.picture")} src="data:image/jpeg;base64,${this.still}" draggable="false" />` : nothing}
        <svg
          viewBox="0 0 ${width || 1} ${height || 1}"
          role="group"
          aria-label=${t("mask.ground")}
          aria-describedby="mask-how"
          @pointerdown=${this.onDown}
          @pointermove=${this.onMove}
          @pointerup=${this.onUp}
          @pointercancel=${this.onUp}
          @keydown=${this.onKey}
        >
          ${this.masks.map((mask, number) => this.drawMask(mask, number))} ${this.drawHandles()}
        </svg>
      </div>
      <p class="mask-told" role="status">${this.looking ? t("mask.looking") : this.trouble || t("mask.count", { n: this.masks.length })}</p>
      <p class="visually-hidden" aria-live="polite">${this.told}</p>
      <p class="form-hint" id="mask-how">${t("mask.how")} <span class="mask-keys">${t("mask.keys")}</span></p>`;
  }

  private drawMask(mask: Mask, number: number) {
    return svg`<polygon class="mask ${number === this.mask ? "chosen" : ""}" points=${this.points(mask)} tabindex="0" role="button"
      aria-pressed=${number === this.mask} aria-label=${t("mask.one", { n: number + 1 })} data-mask=${number}></polygon>`;
  }

  /** Corners, and the middles of edges where new ones are made; of the chosen mask alone. */
  private drawHandles() {
    const mask = this.masks[this.mask];
    if (!mask) return nothing;
    const full = mask.length >= this.mostCorners;
    return mask.map((corner, number) => {
      const [x, y] = this.pixels(corner);
      const [middleX, middleY] = this.pixels(polygons.middle(mask, number));
      const label = this.cornerLabel(number, corner);
      return svg`${
        full
          ? nothing
          : svg`<g class="mask-middle" transform="translate(${middleX} ${middleY})" tabindex="0" role="button"
              aria-label=${t("mask.add_corner", { n: number + 1 })} data-middle=${number}>
              <circle class="reach" r=${REACH / 2}></circle><circle r="5"></circle></g>`
      }<g class="mask-corner ${number === this.corner ? "chosen" : ""}" transform="translate(${x} ${y})" tabindex="0" role="button"
        aria-label=${label} data-corner=${number}><circle class="reach" r=${REACH}></circle><circle r="7"></circle></g>`;
    });
  }

  private get input(): HTMLInputElement | null {
    const found = document.getElementById(this.field);
    return found instanceof HTMLInputElement ? found : null;
  }

  private get mayDropCorner(): boolean {
    return this.corner >= 0 && (this.masks[this.mask]?.length ?? 0) > polygons.LEAST_CORNERS;
  }

  private cornerLabel(number: number, [x, y]: Corner): string {
    return t("mask.corner", { n: number + 1, x: Math.round(x * 100), y: Math.round(y * 100) });
  }

  private pixels([x, y]: Corner): Corner {
    return [Math.round(x * this.size[0] * 10) / 10, Math.round(y * this.size[1] * 10) / 10];
  }

  private points(mask: Mask): string {
    return mask.map((corner) => this.pixels(corner).join(",")).join(" ");
  }

  private measure(): void {
    const { width, height } = this.ground.getBoundingClientRect();
    this.size = [width, height];
  }

  /** Takes new masks; `before` is what undoing goes back to. */
  private take(masks: readonly Mask[], before: readonly Mask[] = this.masks): void {
    this.past = [...this.past.slice(-MOST_UNDONE), before];
    this.masks = masks;
    this.changed = true;
  }

  private replaced(number: number, mask: Mask): readonly Mask[] {
    return this.masks.map((one, at) => (at === number ? mask : one));
  }

  private readonly onAdd = (): void => {
    const shift = (this.masks.length % 5) * 0.05; // not one on the other
    this.take([...this.masks, polygons.rectangle([0.35 + shift, 0.35 + shift], [0.55 + shift, 0.6 + shift])]);
    this.choose(this.masks.length - 1, 0);
  };

  private readonly onUndo = (): boolean => {
    const before = this.past.at(-1);
    if (!before) return false;
    this.past = this.past.slice(0, -1);
    this.masks = before;
    this.changed = true;
    this.mask = Math.min(this.mask, before.length - 1);
    this.corner = -1;
    this.told = t("mask.undone");
    return true;
  };

  private choose(mask: number, corner: number): void {
    this.mask = mask;
    this.corner = corner;
    const selector = corner >= 0 ? `[data-corner="${corner}"]` : `[data-mask="${mask}"]`;
    void this.updateComplete.then(() => this.querySelector<SVGElement>(selector)?.focus());
  }

  private dropMask(number: number): void {
    this.take(this.masks.filter((_, at) => at !== number));
    this.told = t("mask.removed", { n: number + 1 });
    this.mask = this.corner = -1;
    if (this.masks.length) this.choose(Math.min(number, this.masks.length - 1), -1);
  }

  private dropCorner(): void {
    const mask = this.masks[this.mask];
    if (!mask || !this.mayDropCorner) return;
    this.take(this.replaced(this.mask, polygons.withoutCorner(mask, this.corner)));
    this.choose(this.mask, Math.min(this.corner, mask.length - 2));
  }

  private addCorner(after: number): boolean {
    const mask = this.masks[this.mask];
    if (!mask) return false;
    this.take(this.replaced(this.mask, polygons.withMiddle(mask, after)));
    this.choose(this.mask, after + 1);
    return true;
  }

  /** Where a pointer is, in parts of the picture. */
  private at(event: PointerEvent): Corner {
    const { left, top, width, height } = this.ground.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  private readonly onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const handle = (event.target as Element).closest<SVGElement>("[data-mask], [data-corner], [data-middle]");
    const { mask, corner, middle } = handle?.dataset ?? {};
    const before = this.masks;
    if (middle !== undefined) this.addCorner(Number(middle));
    else if (corner !== undefined) this.choose(this.mask, Number(corner));
    else if (mask !== undefined) this.choose(Number(mask), -1);
    else this.mask = this.corner = -1;
    if (middle !== undefined) this.past = this.past.slice(0, -1); // the whole move is undone as one
    this.drag = { mask: this.mask, corner: this.corner, from: this.at(event), before };
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    event.preventDefault();
  };

  private readonly onMove = (event: PointerEvent): void => {
    const { drag } = this;
    if (!drag) return;
    const here = this.at(event);
    const [dx, dy] = [here[0] - drag.from[0], here[1] - drag.from[1]];
    const far = Math.hypot(dx * this.size[0], dy * this.size[1]) >= LEAST_DRAWN;
    if (drag.mask < 0) {
      if (!far || drag.before.length >= this.mostMasks) return;
      this.masks = [...drag.before, polygons.rectangle(drag.from, here)];
      return;
    }
    const mask = this.masks[drag.mask];
    const first = drag.before[drag.mask];
    if (drag.corner >= 0 && mask) this.masks = this.replaced(drag.mask, polygons.withCornerAt(mask, drag.corner, here));
    else if (first && far) this.masks = this.replaced(drag.mask, polygons.moved(first, dx, dy));
  };

  private readonly onUp = (): void => {
    const { drag } = this;
    this.drag = null;
    if (!drag || this.masks === drag.before) return;
    this.take(this.masks, drag.before);
    if (drag.mask < 0) this.choose(this.masks.length - 1, -1);
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const { mask, corner, middle } = (event.target as SVGElement).dataset;
    let done = false;
    if (event.ctrlKey || event.metaKey) done = event.key.toLowerCase() === "z" && this.onUndo();
    else if (mask !== undefined) done = this.onMaskKey(event, Number(mask));
    else if (corner !== undefined) done = this.onCornerKey(event, Number(corner));
    else if (middle !== undefined && pressed(event)) done = this.addCorner(Number(middle));
    if (done) event.preventDefault();
  };

  private onMaskKey(event: KeyboardEvent, number: number): boolean {
    const mask = this.masks[number];
    const way = arrow(event);
    if (!mask) return false;
    if (pressed(event)) this.choose(number, 0);
    else if (removes(event)) this.dropMask(number);
    else if (way) this.take(this.replaced(number, polygons.moved(mask, ...way)));
    else return false;
    return true;
  }

  private onCornerKey(event: KeyboardEvent, number: number): boolean {
    const mask = this.masks[this.mask];
    const place = mask?.[number];
    const way = arrow(event);
    if (!mask || !place) return false;
    this.corner = number;
    if (event.key === "Escape") this.choose(this.mask, -1);
    else if (removes(event)) this.dropCorner();
    else if (way) {
      const next: Corner = [place[0] + way[0], place[1] + way[1]];
      this.take(this.replaced(this.mask, polygons.withCornerAt(mask, number, next)));
      this.told = this.cornerLabel(number, this.masks[this.mask]?.[number] ?? next);
    } else return false;
    return true;
  }

  /** Lets the recorder open the camera's stream and waits for its first picture. */
  private async begin(): Promise<void> {
    this.looking = true;
    this.trouble = "";
    await this.ask(this.look, { method: "POST" });
  }

  private async ask(address: string, init: RequestInit): Promise<void> {
    try {
      const found = await askCentre<Look>(address, init);
      if (!this.isConnected) return;
      if (found.still) this.still = found.still;
      const { job } = found;
      const waits = job && !found.still && !found.trouble && found.phase === "running";
      this.trouble = waits || found.still ? "" : (found.trouble ?? t("mask.no_picture"));
      if (waits) {
        this.waiting = window.setTimeout(() => void this.ask(`${this.look}${job}/`, {}), LOOK_MS);
        return;
      }
    } catch (reason) {
      this.trouble = problemText(asProblem(reason));
    }
    this.looking = false;
  }

  private readonly onSubmit = (): void => {
    this.changed = false;
  };

  private readonly onLeave = (event: BeforeUnloadEvent): void => {
    if (this.changed) event.preventDefault();
  };
}

function pressed(event: KeyboardEvent): boolean {
  return event.key === "Enter" || event.key === " ";
}

function removes(event: KeyboardEvent): boolean {
  return event.key === "Delete" || event.key === "Backspace";
}

/** How far an arrow key moves something, in parts of the picture. */
function arrow(event: KeyboardEvent): Corner | null {
  const way = ARROWS[event.key];
  const step = event.shiftKey ? LARGE_STEP : STEP;
  return way ? [way[0] * step, way[1] * step] : null;
}
