/** The cameras by unit, found by what they are called: marks may be left out. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Watched } from "../../house";
import { asProblem, type Problem } from "../../net/problem";
import { icon } from "../../parts/icons";
import { controls } from "../../parts/styles";
import { LanguageController, problemText, t } from "../../words";
import { askCentre } from "./office";

const SETTLE_MS = 150;

interface Listed {
  id: string;
  code: string;
  name: string;
  site: string;
}

interface Found {
  units: { name: string; cameras: Listed[] }[];
  more: boolean;
}

/** Events: `pick` (detail: id of a camera), `close`. */
@customElement("xy-tree")
export class TreeElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        width: 288px;
        flex: none;
        background: var(--raised);
        border-inline-end: 1px solid var(--line);
        min-height: 0;
      }
      .top {
        display: flex;
        gap: 8px;
        padding: 8px;
      }
      input {
        flex: 1;
        min-width: 0;
        background: var(--ground);
      }
      .list {
        overflow-y: auto;
        flex: 1;
        padding: 0 8px 16px;
      }
      h2 {
        font-size: 13px;
        color: var(--muted);
        padding: 12px 8px 4px;
        position: sticky;
        top: 0;
        background: var(--raised);
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li button {
        width: 100%;
        justify-content: flex-start;
        text-align: start;
        white-space: normal;
        padding: 4px 8px;
        font-weight: 400;
      }
      li span {
        flex: 1;
        min-width: 0;
        line-height: 1.35;
      }
      li small {
        display: block;
        color: var(--muted);
        font-size: 12px;
      }
      .dot {
        flex: none;
        width: 10px;
        height: 10px;
        border-radius: 50%;
        background: var(--control-line);
      }
      .dot.recording {
        background: var(--accent);
      }
      .dot.lost,
      .dot.not_recording {
        border-radius: 2px;
        background: var(--alarm);
      }
      p {
        padding: 12px 8px;
        font-size: 14px;
      }
      @media (max-width: 640px) {
        :host {
          position: absolute;
          inset: 0;
          width: auto;
          z-index: 5;
        }
      }
    `,
  ];

  @property({ attribute: false }) house!: Watched;
  @property() address = "";
  @state() private found: Found | null = null;
  @state() private problem: Problem | null = null;
  private wanted = "";
  private timer = 0;

  constructor() {
    super();
    new LanguageController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.house.addEventListener("cameras", this.redraw);
    void this.search();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.house.removeEventListener("cameras", this.redraw);
    clearTimeout(this.timer);
  }

  override render() {
    return html`<div class="top">
        <input
          type="search"
          aria-label=${t("tree.search")}
          placeholder=${t("tree.search")}
          autocomplete="off"
          spellcheck="false"
          @input=${this.onInput}
          @keydown=${this.onKey}
        />
        <button aria-label=${t("nav.close")} title=${t("nav.close")} @click=${() => this.dispatchEvent(new Event("close"))}>
          ${icon("close")}
        </button>
      </div>
      <nav class="list" aria-label=${t("tree.title")}>${this.list()}</nav>`;
  }

  private list() {
    if (this.problem) return html`<p role="alert">${problemText(this.problem)}</p>`;
    if (!this.found) return html`<p class="muted" role="status">${t("wall.loading")}</p>`;
    if (!this.found.units.length) return html`<p role="status">${t("tree.nothing")}</p>`;
    return html`${this.found.units.map(
      (unit) =>
        html`<h2>${unit.name}</h2>
          <ul>
            ${unit.cameras.map((camera) => html`<li>${this.line(camera)}</li>`)}
          </ul>`,
    )}
    ${this.found.more ? html`<p class="muted">${t("tree.more")}</p>` : nothing}`;
  }

  private line(camera: Listed) {
    const state = this.house.camera(camera.id)?.streams.main.state ?? "";
    return html`<button data-camera=${camera.id} @click=${() => this.pick(camera.id)}>
      <i class="dot ${state}" aria-hidden="true"></i>
      <span>${camera.code} ${camera.name}<small>${camera.site}</small></span>
      ${state === "lost" ? html`<span class="hidden-text">${t("tree.lost")}</span>` : nothing}
    </button>`;
  }

  private pick(id: string): void {
    this.dispatchEvent(new CustomEvent("pick", { detail: id }));
  }

  private readonly onInput = (event: Event): void => {
    this.wanted = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.search(), SETTLE_MS);
  };

  /** Enter takes the first that was found. */
  private readonly onKey = (event: KeyboardEvent): void => {
    const first = this.found?.units[0]?.cameras[0];
    if (event.key === "Enter" && first) this.pick(first.id);
    if (event.key === "Escape") this.dispatchEvent(new Event("close"));
  };

  private async search(): Promise<void> {
    const { wanted } = this;
    try {
      const found = await askCentre<Found>(`${this.address}?${new URLSearchParams({ q: wanted }).toString()}`);
      if (wanted !== this.wanted) return;
      this.found = found;
      this.problem = null;
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  }

  private readonly redraw = (): void => this.requestUpdate();
}
