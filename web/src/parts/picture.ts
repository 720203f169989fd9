/** One live picture with its name and a state that is always true. */

import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { House } from "../house";
import { LiveFeed } from "../live/feed";
import { pictureState, type PictureState, sameState } from "../live/picture-state";
import { type Camera, keptStream, type StreamName } from "../net/types";
import { sinceText } from "../time/format";
import { LanguageController, t } from "../words";
import { icon, type IconName } from "./icons";
import { pictureStyles } from "./picture.css";
import { controls } from "./styles";
import "./watermark";

const LOOK_MS = 500;
const REFUSED_RETRY_MS = 15_000;
/** A tab nobody sees needs no pictures. */
const HIDDEN_MS = 20_000;
/** A picture that cannot be decoded is asked for again, ever more rarely: it costs the node and the browser. */
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;
const SOUND_AFTER_MS = 10_000;

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
  static override styles = [controls, pictureStyles];

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
  /** The browser gave up on what came: of which view, since when (node's clock), how often, when to try again. */
  private trouble: { view: string; since: number; count: number; until: number } | null = null;

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
      ${this.house.viewer && !gone && is.kind !== "connecting"
        ? html`<xy-watermark .viewer=${this.house.viewer} .now=${() => this.house.clock.now()}></xy-watermark>`
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
    return html`<div class="over">
      ${icon("lost")}<strong>${t("state.lost", { time: sinceText(is.since, now) })}</strong>
      <span class="why">${t(`reason.${is.reason}`)}</span>
      <span class="advice">${t(is.reason === "other" && !is.detail ? "advice.unknown" : `advice.${is.reason}`)}</span>
      ${is.detail ? html`<small class="detail" lang="en" translate="no">${is.detail}</small>` : nothing}
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
    this.feed ??= new LiveFeed(this.video, this.house.clock, () => this.look(), () => this.rest());
    const wanted = `${this.camera.id}/${this.stream}`;
    if (wanted === this.started) return;
    if (wanted !== this.trouble?.view) this.trouble = null;
    else if (performance.now() < this.trouble.until) return;
    this.started = wanted;
    this.feed.start(this.house.live(), this.camera.id, this.stream, this.trouble?.since ?? null);
    this.look();
  }

  private again(): void {
    this.started = null;
    this.begin();
  }

  private rest(): void {
    const { since, count } = this.trouble ?? { since: this.house.clock.now(), count: 0 };
    const until = performance.now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** count);
    this.trouble = { view: this.started ?? "", since, count: count + 1, until };
    this.started = null;
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
      kept: this.camera.streams[keptStream(this.camera)] ?? null,
      shownWall: feed.shownWall(),
      lastAdvance: feed.lastAdvance,
      lastBytes: feed.lastBytes,
      askedAt: feed.askedAt,
      undecodable: this.trouble !== null,
    });
    const sound = next.kind === "live" || next.kind === "not_recording";
    if (this.trouble && sound && performance.now() - this.trouble.until > SOUND_AFTER_MS) this.trouble = null;
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
