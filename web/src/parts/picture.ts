/** One live picture with its name and a state that is always true. */

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { House } from "../house";
import { LiveFeed } from "../live/feed";
import { pictureState, type PictureState, sameState } from "../live/picture-state";
import type { Camera, StreamName } from "../net/types";
import { sinceText } from "../time/format";
import { LanguageController, t, type Word } from "../words";
import { vi } from "../words/vi";
import { icon, type IconName } from "./icons";
import { controls } from "./styles";

const LOOK_MS = 500;
const REFUSED_RETRY_MS = 15_000;
/** A tab nobody sees needs no pictures. */
const HIDDEN_MS = 20_000;

const ICONS: Record<PictureState["kind"], IconName | null> = {
  live: null,
  delayed: "wait",
  not_recording: "database",
  lost: "lost",
  connecting: "loader",
  disabled: "off",
};

/** The state as a short text: "Mất tín hiệu từ 14:02 (lỗi mạng)". */
export function stateText(is: PictureState, nowMs: number): string {
  switch (is.kind) {
    case "live":
      return t("state.live");
    case "delayed":
      return t("state.delayed", { n: is.seconds });
    case "connecting":
      return t("state.connecting");
    case "disabled":
      return t("state.disabled");
    case "not_recording": {
      const text = t("state.notRecording", { time: sinceText(is.since, nowMs) });
      return is.reason ? `${text} (${t(`reason.${is.reason}`)})` : text;
    }
    case "lost":
      return `${t("state.lost", { time: sinceText(is.since, nowMs) })} (${t(`reason.${is.reason}`)})`;
  }
}

/** Events: `picture-state` (bubbles) when what it says about itself changes. */
@customElement("xy-picture")
export class PictureElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        position: relative;
        overflow: hidden;
        background: #000;
        contain: strict;
        container-type: size;
      }
      video {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: contain;
        background: #000;
      }
      .stale video {
        filter: grayscale(1) brightness(0.35);
      }
      .none video {
        visibility: hidden;
      }
      .caption {
        position: absolute;
        inset: auto 0 0 0;
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 5px 8px;
        font-size: 13px;
        line-height: 1.25;
        background: rgb(10 14 17 / 74%);
        pointer-events: none;
      }
      .names {
        flex: 1;
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-weight: 500;
      }
      .names small {
        font-size: 12px;
        font-weight: 400;
        color: #bcc7d0;
        margin-left: 6px;
      }
      .state {
        flex: none;
        display: inline-flex;
        align-items: center;
        gap: 5px;
        font-size: 12px;
        font-weight: 500;
        white-space: nowrap;
      }
      .state svg {
        width: 15px;
        height: 15px;
      }
      .dot {
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--accent);
      }
      .delayed .state,
      .not_recording .state {
        color: #ffc35c;
      }
      .over {
        position: absolute;
        inset: 0 0 28px 0;
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 6px;
        padding: 8px;
        text-align: center;
        font-size: 13px;
        line-height: 1.35;
        color: var(--muted);
        pointer-events: none;
      }
      .over svg {
        width: 26px;
        height: 26px;
      }
      .over strong {
        font-weight: 600;
        color: var(--text);
        font-size: 14px;
      }
      .over .why::first-letter {
        text-transform: uppercase;
      }
      .over .why {
        display: inline-block;
      }
      .lost .over svg {
        color: var(--alarm-text);
      }
      .lost .caption {
        box-shadow: inset 3px 0 0 var(--alarm);
      }
      .note {
        position: absolute;
        top: 6px;
        right: 6px;
        padding: 2px 8px;
        border-radius: 6px;
        font-size: 12px;
        background: rgb(10 14 17 / 78%);
        color: #d5dee6;
      }
      :host([bare]) .caption {
        display: none;
      }
      /* A small picture keeps its name and its state whole, and most of its pixels free. */
      @container (max-width: 340px) {
        .names small {
          display: none;
        }
        .caption {
          gap: 0 6px;
          padding: 2px 6px;
          font-size: 12px;
        }
        /* The longest state stands under the name, whole. */
        .not_recording .caption {
          flex-wrap: wrap;
        }
        .not_recording .names {
          flex-basis: 100%;
        }
        .not_recording .state {
          flex: 1;
          white-space: normal;
        }
        .advice {
          display: none;
        }
        .over {
          inset: 0 0 20px 0;
          gap: 2px;
          font-size: 12px;
        }
        .over svg {
          width: 22px;
          height: 22px;
        }
        .over strong {
          font-size: 13px;
        }
      }
      :host([bare]) .over {
        inset: 0;
      }
    `,
  ];

  @property({ attribute: false }) house!: House;
  @property({ attribute: false }) camera!: Camera;
  @property() stream: StreamName = "main";
  @property({ type: Boolean, reflect: true }) bare = false;
  @state() private is: PictureState = { kind: "connecting", since: 0 };
  @state() private note: LiveFeed["note"] = null;
  @query("video") private video!: HTMLVideoElement;

  private feed: LiveFeed | null = null;
  private started: string | null = null;
  private timer = 0;
  private refusedAt = 0;
  private hiddenAt = 0;

  constructor() {
    super();
    new LanguageController(this);
  }

  get pictureState(): PictureState {
    return this.is;
  }

  /** How late the picture on the screen is, ms by the node's clock; null before the first. */
  get lagMs(): number | null {
    const shown = this.feed?.shownWall() ?? null;
    return shown === null ? null : this.house.clock.now() - shown;
  }

  /** Wall time of the picture on the screen, ms. */
  get shownWall(): number | null {
    return this.feed?.shownWall() ?? null;
  }

  override render() {
    const { is, camera } = this;
    const now = this.house.clock.now();
    const gone = is.kind === "lost" || is.kind === "disabled";
    const shade = gone ? "stale" : is.kind === "connecting" ? "none" : "";
    const name = ICONS[is.kind];
    const { note } = this;
    return html`<div class="${is.kind} ${shade}">
      <video muted playsinline tabindex="-1" aria-hidden="true"></video>
      ${gone || is.kind === "connecting" ? this.over(now) : nothing}
      ${note && !gone
        ? html`<span class="note" title=${t(`note.${note}.long`)}>${t(`note.${note}`)}</span>`
        : nothing}
      <div class="caption">
        <span class="names">${camera.name}<small>${camera.site}</small></span>
        <span class="state">${name ? icon(name) : html`<span class="dot"></span>`}${this.shortState(now)}</span>
      </div>
    </div>`;
  }

  /** In the caption a lost picture says only when: the reason stands in the picture. */
  private shortState(now: number): string {
    const { is } = this;
    if (is.kind === "lost") return sinceText(is.since, now);
    if (is.kind === "connecting") return "";
    return stateText(is, now);
  }

  private over(now: number) {
    const { is } = this;
    if (is.kind === "connecting") return html`<div class="over">${icon("video")}<span>${t("state.connecting")}</span></div>`;
    if (is.kind === "disabled") return html`<div class="over">${icon("off")}<strong>${t("state.disabled")}</strong></div>`;
    if (is.kind !== "lost") return nothing;
    const word = `advice.${is.reason}`;
    return html`<div class="over">
      ${icon("lost")}<strong>${t("state.lost", { time: sinceText(is.since, now) })}</strong>
      <span class="why">${t(`reason.${is.reason}`)}</span>
      ${word in vi ? html`<span class="advice">${t(word as Word)}</span>` : nothing}
    </div>`;
  }

  override firstUpdated(): void {
    this.begin();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.onVisibility);
    this.timer = setInterval(() => this.look(), LOOK_MS);
    if (this.hasUpdated) this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.onVisibility);
    clearInterval(this.timer);
    this.feed?.dispose();
    this.feed = null;
    this.started = null;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("camera") || changed.has("stream")) this.begin();
  }

  private begin(): void {
    if (!this.isConnected) return;
    this.feed ??= new LiveFeed(this.video, this.house.clock, () => this.look(), () => this.again());
    const wanted = `${this.camera.id}/${this.stream}`;
    if (wanted === this.started) return;
    this.started = wanted;
    this.feed.start(this.house.live(), this.camera.id, this.stream);
    this.look();
  }

  private again(): void {
    this.started = null;
    this.begin();
  }

  private readonly onVisibility = (): void => {
    this.hiddenAt = document.hidden ? performance.now() : 0;
    if (!document.hidden) this.look();
  };

  private look(): void {
    const { feed, house } = this;
    if (!feed) return;
    if (document.hidden) {
      if (this.started && this.hiddenAt && performance.now() - this.hiddenAt > HIDDEN_MS) {
        feed.stop();
        this.started = null;
      }
      return;
    }
    if (!this.started) this.begin();
    feed.observe();
    const next = pictureState({
      now: house.clock.now(),
      socketDownSince: house.liveDownSince,
      server: feed.server,
      stream: this.camera.streams[this.stream] ?? this.camera.streams.main,
      shownWall: feed.shownWall(),
      lastAdvance: feed.lastAdvance,
      lastBytes: feed.lastBytes,
      askedAt: feed.askedAt,
    });
    this.retryRefused(next);
    if (feed.note !== this.note) this.note = feed.note;
    if (sameState(next, this.is)) return;
    this.is = next;
    this.dispatchEvent(new CustomEvent("picture-state", { bubbles: true, composed: true }));
  }

  private retryRefused(next: PictureState): void {
    if (next.kind !== "lost" || this.feed?.server?.state !== "refused") {
      this.refusedAt = 0;
      return;
    }
    this.refusedAt ||= performance.now();
    if (performance.now() - this.refusedAt < REFUSED_RETRY_MS) return;
    this.refusedAt = 0;
    this.again();
  }
}
