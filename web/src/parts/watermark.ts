/** Who looks, and when, written over a picture: a photograph of the screen says from whom it is. */

import { css, html, LitElement } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { clockText, dateText } from "../time/format";

const LOOK_MS = 5000;
const ANGLE = -Math.PI / 9;

/** Who looks, and when, as it is written. */
export function markText(viewer: string, ms: number): string {
  return `${viewer} · ${dateText(ms)} ${clockText(ms).slice(0, 5)}`;
}

/** Writes the text over a whole picture, aslant and again and again. */
export function writeOver(
  pen: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  width: number,
  height: number,
  text: string,
): void {
  const size = Math.max(11, Math.min(18, width / 32));
  pen.font = `500 ${size}px "Be Vietnam Pro", system-ui, sans-serif`;
  // Light letters with a dark edge: to be read on snow and at night.
  pen.fillStyle = "rgb(255 255 255 / 24%)";
  pen.strokeStyle = "rgb(0 0 0 / 22%)";
  pen.lineWidth = 1;
  const across = pen.measureText(text).width + size * 6;
  const down = size * 9;
  pen.rotate(ANGLE);
  for (let row = 0, y = 0; y < height + width; row += 1, y += down) {
    for (let x = -height - (row % 2) * (across / 2); x < width; x += across) {
      pen.strokeText(text, x, y);
      pen.fillText(text, x, y);
    }
  }
}

@customElement("xy-watermark")
export class WatermarkElement extends LitElement {
  static override styles = css`
    :host {
      position: absolute;
      inset: 0;
      pointer-events: none;
      overflow: hidden;
    }
    canvas {
      width: 100%;
      height: 100%;
      display: block;
    }
  `;

  @property() viewer = "";
  @property({ attribute: false }) now: () => number = () => Date.now();
  @query("canvas") private canvas!: HTMLCanvasElement;
  private timer = 0;
  private drawn = "";
  private readonly size = new ResizeObserver(() => this.draw());

  /** What is written. */
  get text(): string {
    return markText(this.viewer, this.now());
  }

  override render() {
    return html`<canvas aria-hidden="true"></canvas>`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.size.observe(this);
    this.timer = setInterval(() => this.text !== this.drawn && this.draw(), LOOK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.size.disconnect();
    clearInterval(this.timer);
  }

  override updated(): void {
    this.draw();
  }

  private draw(): void {
    const { canvas } = this;
    const width = this.clientWidth;
    const height = this.clientHeight;
    const pen = this.hasUpdated ? canvas.getContext("2d") : null;
    if (!pen || !width || !height) return;
    const scale = Math.min(2, devicePixelRatio);
    canvas.width = width * scale;
    canvas.height = height * scale;
    pen.scale(scale, scale);
    this.drawn = this.text;
    writeOver(pen, width, height, this.drawn);
  }
}
