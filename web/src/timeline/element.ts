/** The timeline: drag to pull the past under the playhead, click to go there, wheel or pinch to zoom. */

import { css, html, LitElement, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { momentText } from "../time/format";
import { LanguageController, t } from "../words";
import { type Coverage, CoverageSource, type Stretch } from "./coverage";
import { paint } from "./paint";
import { centred, type Scale, toMs, toX, zoomed } from "./scale";

const DRAG_PIXELS = 5;
const HANDLE_PIXELS = 16;
/** The playhead is kept between these shares of the width while it plays. */
const FOLLOW_AT = 0.85;

type Grip = "strip" | "in" | "out";

interface Drag {
  grip: Grip;
  startX: number;
  startFrom: number;
  /** Where the playhead stood on the screen when the drag began. */
  playheadX: number;
  moved: boolean;
}

export interface PointedDetail {
  ms: number;
  x: number;
}

/**
 * Events: `seek` (detail: ms), `scrub` (detail: ms, while dragging), `pointed` (detail: {ms, x} or null),
 * `select` (detail: Stretch), `coverage`.
 */
@customElement("xy-timeline")
export class TimelineElement extends LitElement {
  static override styles = css`
    :host {
      display: block;
      position: relative;
      height: 96px;
      touch-action: none;
      user-select: none;
      -webkit-user-select: none;
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
      cursor: pointer;
      outline: none;
      border-radius: 8px;
    }
    canvas:focus-visible {
      box-shadow: 0 0 0 2px #2bb3a3;
    }
    canvas.dragging {
      cursor: grabbing;
    }
    canvas.grip {
      cursor: ew-resize;
    }
  `;

  /** Moment on the screen, ms; null while live. */
  @property({ attribute: false }) playhead: number | null = null;
  @property({ attribute: false }) nowMs = Date.now();
  @property({ attribute: false }) selection: Stretch | null = null;
  @property({ attribute: false }) source: CoverageSource = new CoverageSource();
  @property({ type: Number }) spanMs = 3_600_000;
  @property({ type: Boolean }) recording = false;
  @query("canvas") private canvas!: HTMLCanvasElement;
  @state() private cursor = "";

  private scale: Scale = { fromMs: 0, spanMs: 3_600_000, width: 800 };
  private placed = false;
  private height = 96;
  private drag: Drag | null = null;
  private pointers = new Map<number, number>();
  private pointer: number | null = null;
  private frame = 0;
  private keyboard = false;
  private readonly resize = new ResizeObserver(() => this.measure());

  constructor() {
    super();
    new LanguageController(this);
  }

  get coverage(): Coverage | null {
    return this.source.current;
  }

  get shownScale(): Scale {
    return this.scale;
  }

  override render() {
    const at = this.playhead ?? this.nowMs;
    return html`<canvas
      tabindex="0"
      role="slider"
      class=${this.cursor}
      aria-label=${t("timeline.label")}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(Math.min(100, Math.max(0, (toX(this.scale, at) / this.scale.width) * 100)))}
      aria-valuetext=${momentText(at, this.nowMs)}
      @pointerdown=${this.onDown}
      @pointermove=${this.onMove}
      @pointerup=${this.onUp}
      @pointercancel=${this.onCancel}
      @pointerleave=${this.onLeave}
      @wheel=${this.onWheel}
      @focus=${this.onFocus}
      @blur=${this.onFocus}
    ></canvas>`;
  }

  override firstUpdated(): void {
    this.resize.observe(this.canvas);
    this.measure();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.source.addEventListener("change", this.onCoverage);
    if (this.hasUpdated) this.resize.observe(this.canvas);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.source.removeEventListener("change", this.onCoverage);
    this.resize.disconnect();
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("playhead") || changed.has("nowMs")) {
      const head = changed.has("playhead") ? (changed.get("playhead") ?? null) : this.playhead;
      const was = head ?? changed.get("nowMs") ?? this.nowMs;
      if (!this.placed) this.show(this.playhead ?? this.nowMs);
      else this.follow(was);
    }
    this.draw();
  }

  /** Brings a moment into view without changing the zoom. */
  show(ms: number, spanMs?: number): void {
    if (spanMs) this.scale = { ...this.scale, spanMs };
    else if (!this.placed) this.scale = { ...this.scale, spanMs: this.spanMs };
    this.placed = true;
    this.scale = centred(this.scale, ms, this.nowMs - ms < this.scale.spanMs * 0.3 ? 0.8 : 0.5);
    this.draw();
  }

  zoom(factor: number, x?: number): void {
    const head = this.playhead ?? this.nowMs;
    const at = x ?? (this.inView(head) ? toX(this.scale, head) : this.scale.width / 2);
    this.scale = zoomed(this.scale, factor, at);
    this.draw();
  }

  /** Brings a moment into view unless it is. */
  reveal(ms: number): void {
    if (!this.inView(ms)) this.show(ms);
  }

  private inView(ms: number): boolean {
    const x = toX(this.scale, ms);
    return x >= 0 && x <= this.scale.width;
  }

  /** Goes with a playhead that runs out of view by itself; who looks elsewhere meanwhile is left alone. */
  private follow(was: number): void {
    if (this.drag || !this.inView(was)) return;
    const at = this.playhead ?? this.nowMs;
    const share = toX(this.scale, at) / this.scale.width;
    if (share > FOLLOW_AT && share < 1.2) this.scale = centred(this.scale, at, this.playhead === null ? FOLLOW_AT : 0.15);
    else this.reveal(at);
  }

  private measure(): void {
    const box = this.canvas.getBoundingClientRect();
    if (!box.width) return;
    const ratio = globalThis.devicePixelRatio || 1;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    this.scale = { ...this.scale, width: box.width };
    this.height = box.height;
    this.draw();
  }

  private draw(): void {
    if (this.frame || !this.placed) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.source.want(this.scale, this.nowMs);
      const context = this.canvas.getContext("2d");
      if (!context) return;
      const ratio = globalThis.devicePixelRatio || 1;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      paint(context, {
        scale: this.scale,
        height: this.height,
        coverage: this.source.current,
        nowMs: this.nowMs,
        playhead: this.dragged() ?? this.playhead ?? this.nowMs,
        pointer: this.drag ? null : this.pointer,
        selection: this.selection,
        recording: this.recording,
        keyboard: this.keyboard,
      });
    });
  }

  /** The moment under the playhead while the strip is being dragged. */
  private dragged(): number | null {
    if (this.drag?.grip !== "strip" || !this.drag.moved) return null;
    return Math.min(this.nowMs, toMs(this.scale, this.drag.playheadX));
  }

  private emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  private readonly onCoverage = (): void => {
    this.draw();
    this.emit("coverage", null);
  };

  private readonly onFocus = (event: FocusEvent): void => {
    this.keyboard = event.type === "focus" && this.canvas.matches(":focus-visible");
    this.draw();
  };

  private gripAt(x: number): Grip {
    if (!this.selection) return "strip";
    const toIn = Math.abs(x - toX(this.scale, this.selection.from));
    const toOut = Math.abs(x - toX(this.scale, this.selection.to));
    if (Math.min(toIn, toOut) > HANDLE_PIXELS) return "strip";
    return toIn < toOut ? "in" : "out";
  }

  private readonly onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event.offsetX);
    const head = toX(this.scale, this.playhead ?? this.nowMs);
    // Two fingers zoom: neither of them drags, and lifting them leads nowhere.
    if (this.pointers.size > 1) {
      this.drag = null;
      this.cursor = "";
      this.emit("pointed", null);
      return;
    }
    const inside = head >= 0 && head <= this.scale.width;
    this.drag = {
      grip: this.gripAt(event.offsetX),
      startX: event.offsetX,
      startFrom: this.scale.fromMs,
      playheadX: inside ? head : this.scale.width / 2,
      moved: false,
    };
  };

  private readonly onMove = (event: PointerEvent): void => {
    const x = event.offsetX;
    const previous = this.pointers.get(event.pointerId);
    if (this.pointers.size === 2 && previous !== undefined) {
      this.pinch(event.pointerId, previous, x);
      return;
    }
    if (!this.drag) {
      if (this.pointers.size > 0) return;
      this.cursor = this.gripAt(x) === "strip" ? "" : "grip";
      this.point(x);
      return;
    }
    if (Math.abs(x - this.drag.startX) > DRAG_PIXELS) this.drag.moved = true;
    if (!this.drag.moved) return;
    this.cursor = this.drag.grip === "strip" ? "dragging" : "grip";
    if (this.drag.grip === "strip") this.pull(this.drag, x);
    else this.reshape(this.drag.grip, x);
    this.draw();
  };

  private pull(drag: Drag, x: number): void {
    const fromMs = drag.startFrom - ((x - drag.startX) / this.scale.width) * this.scale.spanMs;
    // The playhead does not go beyond now.
    const latest = this.nowMs - (drag.playheadX / this.scale.width) * this.scale.spanMs;
    this.scale = { ...this.scale, fromMs: Math.min(fromMs, latest) };
    const ms = toMs(this.scale, drag.playheadX);
    this.emit("scrub", ms);
    this.emit("pointed", { ms, x: drag.playheadX });
  }

  private reshape(grip: "in" | "out", x: number): void {
    if (!this.selection) return;
    const ms = Math.min(this.nowMs, toMs(this.scale, x));
    const next = grip === "in" ? { ...this.selection, from: ms } : { ...this.selection, to: ms };
    if (next.to - next.from < 100) return;
    this.emit("select", next);
    this.emit("pointed", { ms, x });
  }

  private pinch(id: number, previous: number, x: number): void {
    const other = [...this.pointers].find(([key]) => key !== id)?.[1] ?? 0;
    const before = Math.abs(previous - other);
    const after = Math.abs(x - other);
    this.pointers.set(id, x);
    if (before > 10 && after > 10) this.zoom(after / before, (x + other) / 2);
  }

  private readonly onUp = (event: PointerEvent): void => {
    this.pointers.delete(event.pointerId);
    const { drag } = this;
    if (!drag || this.pointers.size > 0) return;
    const target = this.dragged();
    this.drag = null;
    this.cursor = "";
    if (drag.grip === "strip") {
      const ms = drag.moved ? target : Math.min(this.nowMs, toMs(this.scale, event.offsetX));
      if (ms !== null) this.emit("seek", ms);
    }
    // After dragging the pointer is no longer where the still stands.
    if (drag.moved || event.pointerType !== "mouse") this.emit("pointed", null);
    this.draw();
  };

  private readonly onCancel = (event: PointerEvent): void => {
    this.pointers.delete(event.pointerId);
    this.drag = null;
    this.cursor = "";
    this.emit("pointed", null);
    this.draw();
  };

  private point(x: number): void {
    this.pointer = toMs(this.scale, x);
    this.emit("pointed", { ms: this.pointer, x });
    this.draw();
  }

  private readonly onLeave = (): void => {
    this.pointer = null;
    if (!this.drag) this.emit("pointed", null);
    this.draw();
  };

  private readonly onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (sideways) {
      const pixels = event.deltaX || event.deltaY;
      this.scale = { ...this.scale, fromMs: this.scale.fromMs + (pixels / this.scale.width) * this.scale.spanMs };
      this.draw();
    } else this.zoom(Math.exp(-event.deltaY * 0.0022), event.offsetX);
    this.point(event.offsetX);
  };
}
