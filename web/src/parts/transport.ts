/** The buttons under the picture. It shows what it is told and says what was pressed. */

import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { LanguageController, t, type Word } from "../words";
import { icon, type IconName } from "./icons";
import { controls } from "./styles";

export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;

export type Press =
  | "play"
  | "back"
  | "forward"
  | "frame-back"
  | "frame-forward"
  | "now"
  | "jump"
  | "select"
  | "zoom-in"
  | "zoom-out"
  | "full"
  | "copy";

/** Events: `press` (detail: Press), `speed` (detail: number). */
@customElement("xy-transport")
export class TransportElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      div.row {
        display: flex;
        align-items: center;
        gap: 4px;
        flex-wrap: wrap;
      }
      .group {
        display: flex;
        align-items: center;
      }
      .grow {
        flex: 1;
      }
      button {
        padding: 0 11px;
      }
      button.play {
        background: var(--raised-2);
        border-radius: 22px;
        width: 52px;
      }
      button.play svg {
        width: 22px;
        height: 22px;
      }
      button.now[aria-pressed="true"] {
        color: var(--accent);
        box-shadow: none;
        background: none;
      }
      button.now.away[aria-pressed="true"] {
        color: var(--muted);
      }
      .dot {
        width: 9px;
        height: 9px;
        border-radius: 50%;
        border: 2px solid currentColor;
      }
      [aria-pressed="true"]:not(.away) .dot {
        background: currentColor;
      }
      select {
        padding: 0 4px 0 10px;
        background: none;
        border-color: transparent;
        font-weight: 600;
        width: 72px;
      }
      select option {
        background: var(--raised);
      }
      @media (max-width: 640px) {
        div.row {
          justify-content: space-between;
          gap: 0;
        }
        .grow,
        .wide {
          display: none;
        }
        button.play {
          width: 64px;
          min-height: 52px;
          border-radius: 26px;
        }
        .group.main {
          width: 100%;
          justify-content: space-between;
          padding: 4px 0;
        }
        .group.main button {
          min-width: 52px;
          min-height: 52px;
        }
        button.primary,
        button.outlined {
          width: 100%;
          margin-top: 8px;
        }
        .text {
          display: none;
        }
        .keep .text {
          display: inline;
        }
      }
      /* A phone on its side: one row, so that the picture keeps the height. */
      @media (min-width: 641px) and (max-height: 480px) {
        div.row {
          flex-wrap: nowrap;
        }
        .text,
        .wide {
          display: none;
        }
        .keep .text {
          display: inline;
        }
      }
    `,
  ];

  @property({ type: Boolean }) playing = false;
  @property({ type: Boolean }) live = false;
  /** Live is chosen, but no live picture comes. */
  @property({ type: Boolean }) away = false;
  /** No picture is there to run, stop or step through. */
  @property({ type: Boolean }) still = false;
  @property({ type: Boolean }) selecting = false;
  @property({ type: Boolean }) mayPast = true;
  @property({ type: Boolean }) mayClip = true;
  /** The recorder has not said yet what one may. */
  @property({ type: Boolean }) unheard = false;
  @property({ type: Number }) speed = 1;

  constructor() {
    super();
    new LanguageController(this);
  }

  override render() {
    const runs = this.playing && !this.still;
    return html`<div class="row">
      <div class="group main">
        ${this.button("frame-back", "stepBack", "player.frameBack", ",", {}, this.still)}
        ${this.button("back", "back5", "player.back", "←", { n: 5 })}
        <button
          class="play"
          ?disabled=${!this.mayPast || this.still}
          aria-label=${t(runs ? "player.pause" : "player.play")}
          title="${t(runs ? "player.pause" : "player.play")} (Space)"
          @click=${() => this.press("play")}
        >
          ${icon(runs ? "pause" : "play")}
        </button>
        ${this.button("forward", "forward5", "player.forward", "→", { n: 5 }, this.live)}
        ${this.button("frame-forward", "stepForward", "player.frameForward", ".", {}, this.live || this.still)}
      </div>
      <select aria-label=${t("player.speed")} ?disabled=${this.live || this.still} @change=${this.onSpeed}>
        ${SPEEDS.map((n) => html`<option value=${n} ?selected=${n === this.speed}>${n === 0.5 ? "½" : n}×</option>`)}
      </select>
      <button
        class="now keep ${this.away ? "away" : ""}"
        aria-pressed=${this.live}
        title="${t("player.nowLong")} (N)"
        @click=${() => this.press("now")}
      >
        <span class="dot"></span><span class="text">${t("player.now")}</span>
      </button>
      <span class="grow"></span>
      ${this.labelled("jump", "clock", "player.jump", "G")}
      <div class="group wide">
        ${this.button("zoom-in", "zoomIn", "timeline.zoomIn", "+")}
        ${this.button("zoom-out", "zoomOut", "timeline.zoomOut", "−")}
      </div>
      ${this.button("copy", "link", "player.copy", "")} ${this.button("full", "maximise", "wall.full", "F")}
      <button
        class=${this.selecting ? "outlined" : "primary"}
        aria-pressed=${this.selecting}
        ?disabled=${!this.mayClip}
        title=${t(this.mayClip || this.unheard ? "clip.title" : "clip.noRight")}
        @click=${() => this.press("select")}
      >
        ${icon("scissors")}${t("player.select")}
      </button>
    </div>`;
  }

  private button(
    what: Press,
    picture: IconName,
    word: Word,
    key: string,
    values: Record<string, number> = {},
    disabled = false,
  ) {
    const text = t(word, values);
    return html`<button
      ?disabled=${disabled || (!this.mayPast && what !== "full")}
      aria-label=${text}
      title=${key ? `${text} (${key})` : text}
      @click=${() => this.press(what)}
    >
      ${icon(picture)}
    </button>`;
  }

  private labelled(what: Press, picture: IconName, word: Word, key: string) {
    return html`<button
      ?disabled=${!this.mayPast}
      aria-label=${t(word)}
      title="${t(word)} (${key})"
      @click=${() => this.press(what)}
    >
      ${icon(picture)}<span class="text">${t(word)}</span>
    </button>`;
  }

  private press(what: Press): void {
    this.dispatchEvent(new CustomEvent<Press>("press", { detail: what }));
  }

  private readonly onSpeed = (event: Event): void => {
    const detail = Number((event.target as HTMLSelectElement).value);
    this.dispatchEvent(new CustomEvent("speed", { detail }));
  };
}
