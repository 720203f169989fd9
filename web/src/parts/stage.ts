/** The picture of the player: live, or any moment of the past. */

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { House } from "../house";
import { Deck } from "../playback/deck";
import type { Camera, StreamName } from "../net/types";
import { lengthText } from "../time/format";
import { LanguageController, problemText, t } from "../words";
import { icon } from "./icons";
import { notice } from "./notice";
import "./picture";
import type { PictureElement } from "./picture";
import { controls } from "./styles";
import "./watermark";

/** A still stands in when the film takes longer than this to come. */
const STILL_AFTER_MS = 250;
const STILL_WIDTH = 960;
/** A node that is away or busy is asked again by the page itself. */
const RETRY_MS = 4000;

/** Events: `moment` (the time shown changed), `stage` (anything else changed). */
@customElement("xy-stage")
export class StageElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        position: relative;
        background: #000;
        overflow: hidden;
      }
      video,
      xy-picture,
      canvas {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
      .hidden {
        visibility: hidden;
      }
      .over {
        position: absolute;
        inset: 0;
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 12px;
        text-align: center;
        padding: 16px;
        background: rgb(5 8 10 / 78%);
      }
      .over svg {
        width: 32px;
        height: 32px;
        color: var(--muted);
      }
      .over .row {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        justify-content: center;
      }
      .over .row svg {
        width: 20px;
        height: 20px;
        color: inherit;
      }
      .loading {
        position: absolute;
        right: 12px;
        top: 12px;
      }
      .note,
      .loading {
        background: rgb(10 14 17 / 80%);
        border-radius: 6px;
        padding: 4px 10px;
        font-size: 13px;
      }
      .note {
        position: absolute;
        /* Not above, where cameras write their clock. */
        bottom: 12px;
        left: 12px;
        max-width: calc(100% - 24px);
        line-height: 1.4;
      }
    `,
  ];

  @property({ attribute: false }) house!: House;
  @property({ attribute: false }) camera!: Camera;
  /** Which recording is shown. */
  @property() stream: StreamName = "main";
  @property({ type: Boolean }) live = true;
  @state() private slow = false;
  @query("video") private video!: HTMLVideoElement;
  @query("canvas") private canvas!: HTMLCanvasElement;
  @query("xy-picture") private picture?: PictureElement;
  private stillAbort = new AbortController();
  private slowTimer = 0;
  private retryTimer = 0;
  deck: Deck | null = null;

  constructor() {
    super();
    new LanguageController(this);
  }

  override render() {
    const state = this.live ? "live" : (this.deck?.state ?? "empty");
    const covered = state === "seeking" || state === "no_footage" || state === "failed" || state === "empty";
    return html`<video
        class=${this.live || covered ? "hidden" : ""}
        muted
        playsinline
        aria-label=${this.camera.name}
      ></video>
      <canvas class=${this.slow && state === "seeking" ? "" : "hidden"} aria-hidden="true"></canvas>
      ${this.live && (!this.house.session || this.house.may("live"))
        ? html`<xy-picture bare .house=${this.house} .camera=${this.camera} .stream=${"main"}></xy-picture>`
        : nothing}
      ${!this.live && this.house.viewer
        ? html`<xy-watermark .viewer=${this.house.viewer} .now=${() => this.house.clock.now()}></xy-watermark>`
        : nothing}
      ${state === "seeking" && this.slow
        ? html`<div class="loading" role="status">${t("player.loading")}</div>`
        : nothing}
      ${this.noteOf(state)} ${state === "failed" ? this.broken() : nothing}
      <slot></slot>`;
  }

  private noteOf(state: string) {
    if (state === "end") return html`<div class="note" role="status">${t("player.end")}</div>`;
    const note = state === "ready" ? this.deck?.note : null;
    return note ? html`<div class="note" role="status">${t(`note.${note}.long`)}</div>` : nothing;
  }

  private broken() {
    const problem = this.deck?.problem;
    return html`<div class="over" role="alert">
      ${icon("alert")}
      <p>${problem ? problemText(problem) : ""}</p>
      <div class="row"><button class="outlined" @click=${this.onRetry}>${t("action.retry")}</button></div>
    </div>`;
  }

  override firstUpdated(): void {
    const deck = new Deck(this.video, this.house.clock);
    deck.addEventListener("state", this.onDeck);
    deck.addEventListener("moment", this.onMoment);
    deck.addEventListener("skipped", (event) => {
      notice(t("player.skipped", { length: lengthText((event as CustomEvent<number>).detail) }));
    });
    this.deck = deck;
    this.load();
    this.dispatchEvent(new Event("stage"));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.slowTimer);
    this.stillAbort.abort();
    this.deck?.dispose();
    clearTimeout(this.retryTimer);
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("house") || changed.has("camera") || changed.has("stream")) this.load();
    if (changed.has("live") && this.live) this.deck?.unload();
  }

  private load(): void {
    if (!this.live) this.deck?.load(this.house.client, this.camera.id, this.stream);
  }

  /** The moment on the screen, or asked for and not there yet; null before there is any. */
  get shownMs(): number | null {
    if (this.live) return this.picture?.shownWall ?? null;
    return this.deck?.wanted ?? this.deck?.wall() ?? null;
  }

  get pictureElement(): PictureElement | undefined {
    return this.picture;
  }

  /** Shows a moment of the past; `live` must be false. */
  async seek(ms: number): Promise<void> {
    await this.updateComplete;
    this.deck?.load(this.house.client, this.camera.id, this.stream);
    await this.deck?.seek(ms);
  }

  /** A click at this moment may follow. */
  prepare(ms: number): void {
    this.deck?.load(this.house.client, this.camera.id, this.stream);
    this.deck?.prepare(ms);
  }

  private readonly onDeck = (): void => {
    const { deck } = this;
    clearTimeout(this.retryTimer);
    const { problem } = deck ?? {};
    // Another ticket is on its way to a node's door elsewhere.
    const passing = problem?.passing === true || (problem?.signedOut === true && !this.house.own);
    if (deck?.state === "failed" && passing) this.retryTimer = setTimeout(this.onRetry, RETRY_MS);
    if (deck?.state === "seeking" && deck.wanted !== null) this.standIn(deck.wanted);
    else {
      this.slow = false;
      clearTimeout(this.slowTimer);
      this.stillAbort.abort();
    }
    this.requestUpdate();
    this.dispatchEvent(new Event("stage"));
  };

  private readonly onMoment = (): void => {
    this.dispatchEvent(new Event("moment"));
  };

  private readonly onRetry = (): void => {
    const wanted = this.deck?.wanted ?? null;
    if (wanted !== null) void this.seek(wanted);
  };

  private standIn(ms: number): void {
    clearTimeout(this.slowTimer);
    this.slowTimer = setTimeout(() => void this.showStill(ms), STILL_AFTER_MS);
  }

  private async showStill(ms: number): Promise<void> {
    this.canvas.width = 0;
    this.slow = true;
    this.stillAbort.abort();
    this.stillAbort = new AbortController();
    try {
      const still = await this.house.client.still(this.camera.id, this.stream, ms, STILL_WIDTH, "frame", this.stillAbort.signal);
      this.canvas.width = still.picture.width;
      this.canvas.height = still.picture.height;
      this.canvas.getContext("2d")?.drawImage(still.picture, 0, 0);
      still.picture.close();
    } catch {
      // The film itself will say what is wrong; a missing stand-in is no news.
    }
  }
}
