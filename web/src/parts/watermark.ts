/** Who looks, and when, written over a picture: a photograph of the screen says from whom it is. */

import { css, html, LitElement } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { clockText, dateText } from "../time/format";

const LOOK_MS = 5000;
const ANGLE = -Math.PI / 9;

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
    const now = this.now();
    return `${this.viewer} · ${dateText(now)} ${clockText(now).slice(0, 5)}`;
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
    const size = Math.max(11, Math.min(18, width / 32));
    pen.font = `500 ${size}px "Be Vietnam Pro", system-ui, sans-serif`;
    // Light letters with a dark edge: to be read on snow and at night.
    pen.fillStyle = "rgb(255 255 255 / 24%)";
    pen.strokeStyle = "rgb(0 0 0 / 22%)";
    pen.lineWidth = 1;
    const across = pen.measureText(this.drawn).width + size * 6;
    const down = size * 9;
    pen.rotate(ANGLE);
    for (let row = 0, y = 0; y < height + width; row += 1, y += down) {
      for (let x = -height - (row % 2) * (across / 2); x < width; x += across) {
        pen.strokeText(this.drawn, x, y);
        pen.fillText(this.drawn, x, y);
      }
    }
  }
}
