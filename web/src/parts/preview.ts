/** The small still above the timeline, for the moment under the pointer. */

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { NodeClient } from "../net/client";
import { isAbort } from "../net/problem";
import type { StreamName } from "../net/types";
import { momentText } from "../time/format";
import { LanguageController } from "../words";

const WIDTH = 240;
/** One request at a time, and not more than this many a second: dragging makes hundreds of moments. */
const PAUSE_MS = 90;
const KEPT = 60;

@customElement("xy-preview")
export class PreviewElement extends LitElement {
  static override styles = css`
    :host {
      position: absolute;
      bottom: 100%;
      left: 0;
      width: 244px;
      pointer-events: none;
      z-index: 3;
      padding-bottom: 6px;
      will-change: transform;
    }
    figure {
      margin: 0;
      border: 2px solid var(--text);
      border-radius: 8px;
      overflow: hidden;
      background: #000;
      box-shadow: 0 8px 24px rgb(0 0 0 / 55%);
    }
    .frame {
      aspect-ratio: 16 / 9;
      position: relative;
      display: flex;
      align-items: center;
      justify-content: center;
    }
    canvas {
      position: absolute;
      inset: 0;
      width: 100%;
      height: 100%;
      object-fit: contain;
    }
    canvas.old {
      opacity: 0.35;
    }
    figcaption {
      padding: 4px 8px;
      text-align: center;
      font-size: 13px;
      font-weight: 600;
      line-height: 1.35;
      background: var(--raised);
    }
    .why {
      font-size: 13px;
      padding: 12px;
      text-align: center;
      line-height: 1.4;
      color: #ffd591;
      z-index: 1;
    }
    figcaption small {
      display: block;
      font-weight: 400;
      font-size: 12px;
      color: #ffd591;
    }
  `;

  @property({ attribute: false }) client!: NodeClient;
  @property() camera = "";
  @property() stream: StreamName = "main";
  @property({ attribute: false }) ms: number | null = null;
  @property({ attribute: false }) nowMs = 0;
  /** Shown instead of a picture: why there is none. */
  @property() why = "";
  /** Of a gap close by, which the timeline shows wider than it is. */
  @property() beside = "";
  /** How far apart two moments are on one pixel: closer ones share a still. */
  @property({ attribute: false }) grainMs = 1000;
  @state() private shownAt: number | null = null;
  @query("canvas") private canvas?: HTMLCanvasElement;
  private abort: AbortController | null = null;
  private timer = 0;
  private lastAsked = 0;
  private kept = new Map<string, ImageBitmap>();

  constructor() {
    super();
    new LanguageController(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
    this.forget();
  }

  override render() {
    if (this.ms === null) return nothing;
    return html`<figure aria-hidden="true">
      <div class="frame">
        ${this.why ? html`<span class="why">${this.why}</span>` : html`<canvas class=${this.isOld() ? "old" : ""}></canvas>`}
      </div>
      <figcaption>
        ${momentText(this.ms, this.nowMs)}${this.beside && !this.why ? html`<small>${this.beside}</small>` : nothing}
      </figcaption>
    </figure>`;
  }

  /** Stands over a place on the timeline, but never out of the page. */
  place(over: HTMLElement, x: number): void {
    const inset = over.offsetLeft;
    const left = Math.min(Math.max(0, x + inset - 122), over.clientWidth + 2 * inset - 244);
    this.style.transform = `translateX(${Math.round(left)}px)`;
  }

  private isOld(): boolean {
    return this.shownAt === null || this.ms === null || Math.abs(this.shownAt - this.ms) > this.grainMs * 8 + 2500;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("camera") || changed.has("stream")) {
      this.stop();
      this.forget();
    }
    if (this.ms === null || this.why) {
      this.stop();
      return;
    }
    if (changed.has("ms") || changed.has("camera")) this.want();
  }

  private forget(): void {
    for (const picture of this.kept.values()) picture.close();
    this.kept.clear();
    this.shownAt = null;
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.abort?.abort();
    this.abort = null;
  }

  private key(ms: number): string {
    return `${Math.round(ms / Math.max(500, this.grainMs))}/${this.grainMs}`;
  }

  private want(): void {
    const { ms } = this;
    if (ms === null) return;
    const known = this.kept.get(this.key(ms));
    if (known) {
      this.show(known, ms);
      return;
    }
    if (this.timer || this.abort) return;
    const wait = Math.max(0, PAUSE_MS - (performance.now() - this.lastAsked));
    this.timer = setTimeout(() => void this.fetch(), wait);
  }

  private async fetch(): Promise<void> {
    this.timer = 0;
    const { ms } = this;
    if (ms === null) return;
    const abort = new AbortController();
    this.abort = abort;
    this.lastAsked = performance.now();
    try {
      const precision = this.grainMs < 150 ? "frame" : "keyframe";
      const still = await this.client.still(this.camera, this.stream, ms, WIDTH, precision, abort.signal);
      if (abort.signal.aborted) {
        // It is of another camera by now, or nobody points any more.
        still.picture.close();
        return;
      }
      this.keep(this.key(ms), still.picture);
      this.show(still.picture, ms);
    } catch (reason) {
      // Without a still the time alone is shown: the timeline itself tells of gaps.
      if (!isAbort(reason)) this.shownAt = null;
    }
    if (this.abort !== abort) return;
    this.abort = null;
    if (this.ms !== null && this.ms !== ms) this.want();
  }

  private keep(key: string, picture: ImageBitmap): void {
    this.kept.set(key, picture);
    const oldest = this.kept.keys().next().value;
    if (this.kept.size > KEPT && oldest !== undefined) {
      this.kept.get(oldest)?.close();
      this.kept.delete(oldest);
    }
  }

  private show(picture: ImageBitmap, at: number): void {
    const { canvas } = this;
    if (!canvas) return;
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
    this.shownAt = at;
  }
}
