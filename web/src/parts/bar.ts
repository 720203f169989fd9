/** The bar at the top of the pages for people who are signed in. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { LanguageController, language, setLanguage, t } from "../words";
import { icon } from "./icons";
import { controls } from "./styles";

/** Events: `sign-out`, `keys` (both bubble). Slots: default (left), `middle`. */
@customElement("xy-bar")
export class BarElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        min-height: 52px;
        padding: 4px 8px;
        /* A page around it may have its own button in this corner. */
        padding-left: max(var(--bar-start, 8px), env(safe-area-inset-left));
      }
      .grow {
        flex: 1;
        min-width: 0;
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .language {
        min-width: 44px;
        font-size: 13px;
        color: var(--muted);
      }
      @media (max-width: 640px) {
        .keys,
        :host([narrow]) button {
          display: none;
        }
      }
    `,
  ];

  /** Stands in a page that has its own way to change the language and to leave. */
  @property({ type: Boolean }) guest = false;

  constructor() {
    super();
    new LanguageController(this);
  }

  override render() {
    const other = language() === "vi" ? "EN" : "VI";
    return html`<header>
      <div class="grow"><slot></slot></div>
      <slot name="end"></slot>
      <button class="keys" title="${t("nav.keys")} (?)" aria-label=${t("nav.keys")} @click=${() => this.tell("keys")}>
        ${icon("keyboard")}
      </button>
      ${this.guest ? nothing : this.leaving(other)}
    </header>`;
  }

  private leaving(other: string) {
    return html`<button class="language" title=${t("nav.languageLabel")} aria-label="${other} – ${t("nav.languageLabel")}" @click=${this.onLanguage}>
        ${other}
      </button>
      <button title=${t("nav.signOut")} aria-label=${t("nav.signOut")} @click=${() => this.tell("sign-out")}>
        ${icon("logout")}
      </button>`;
  }

  private tell(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }

  private readonly onLanguage = (): void => setLanguage(language() === "vi" ? "en" : "vi");
}
