/** The wall on a phone: a list of cards, of which only those in sight are watched. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Watched } from "../house";
import type { Camera } from "../net/types";
import { cameraAddress, go } from "../route";
import { LanguageController, t } from "../words";
import "./picture";
import { controls } from "./styles";

@customElement("xy-cards")
export class CardsElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        overflow-y: auto;
      }
      .cards {
        display: grid;
        grid-template-columns: 1fr;
        gap: 8px;
        padding: 0 8px max(16px, env(safe-area-inset-bottom));
      }
      .cards.two {
        grid-template-columns: 1fr 1fr;
        gap: 6px;
      }
      button {
        position: relative;
        display: block;
        width: 100%;
        padding: 0;
        aspect-ratio: 16 / 9;
        overflow: hidden;
        background: var(--raised);
        text-align: left;
        font-weight: 400;
        white-space: normal;
      }
      .two button {
        aspect-ratio: 4 / 3;
      }
      /* A phone on its side: one card across would be higher than the screen. */
      @media (max-height: 480px) {
        .cards {
          grid-template-columns: 1fr 1fr;
        }
        .cards.two {
          grid-template-columns: repeat(3, 1fr);
        }
        .two button {
          aspect-ratio: 16 / 9;
        }
      }
      xy-picture {
        position: absolute;
        inset: 0;
        pointer-events: none;
      }
    `,
  ];

  @property({ attribute: false }) house!: Watched;
  @property({ attribute: false }) cameras: Camera[] = [];
  @property({ type: Boolean }) two = false;
  @state() private visible = new Set<string>();
  private seen: IntersectionObserver | null = null;
  private observed = new WeakSet<Element>();

  constructor() {
    super();
    new LanguageController(this);
  }

  override render() {
    return html`<div class="cards ${this.two ? "two" : ""}">
      ${repeat(
        this.cameras,
        (camera) => camera.id,
        (camera) =>
          html`<button
            data-camera=${camera.id}
            title=${t("wall.open", { name: camera.name })}
            @click=${() => go(cameraAddress(camera.id, null))}
          >
            ${this.visible.has(camera.id) ? this.picture(camera) : nothing}
          </button>`,
      )}
    </div>`;
  }

  private picture(camera: Camera) {
    const stream = camera.streams.sub ? "sub" : "main";
    return html`<xy-picture .house=${this.house.of(camera.id)} .camera=${camera} .stream=${stream}></xy-picture>`;
  }

  override updated(): void {
    this.seen ??= new IntersectionObserver((entries) => this.onSeen(entries), { root: this, rootMargin: "120px" });
    for (const card of this.renderRoot.querySelectorAll("button")) {
      if (this.observed.has(card)) continue;
      this.observed.add(card);
      this.seen.observe(card);
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.seen?.disconnect();
    this.seen = null;
    this.observed = new WeakSet();
  }

  private onSeen(entries: IntersectionObserverEntry[]): void {
    const visible = new Set(this.visible);
    for (const entry of entries) {
      const id = (entry.target as HTMLElement).dataset.camera ?? "";
      if (entry.isIntersecting) visible.add(id);
      else visible.delete(id);
    }
    this.visible = visible;
  }
}
