/** Asks what the past is looked at for, where the camera's class wants that to be said. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controls } from "../../parts/styles";
import { LanguageController, t } from "../../words";
import { panel } from "./panel";

const LEAST = 5; // letters that mean anything

/** Events: `purpose` (detail: what was said). */
@customElement("xy-purpose")
export class PurposeElement extends LitElement {
  static override styles = [
    controls,
    panel,
    css`
      :host {
        display: block;
        padding: 16px 0;
      }
      form {
        max-width: 720px;
      }
      input {
        flex: 1 1 260px;
        min-width: 0;
      }
    `,
  ];

  @property() said = "";
  @state() private wrong = false;

  constructor() {
    super();
    new LanguageController(this);
  }

  override render() {
    return html`<form @submit=${this.onSubmit}>
      <h2>${t("purpose.title")}</h2>
      <p class="muted" id="why">${t("purpose.why")}</p>
      <div class="row">
        <input
          name="purpose"
          aria-label=${t("purpose.label")}
          aria-describedby="why"
          aria-invalid=${this.wrong}
          maxlength="500"
          autocomplete="off"
          placeholder=${t("purpose.example")}
          .value=${this.said}
        />
        <button class="primary">${t("purpose.go")}</button>
      </div>
      ${this.wrong ? html`<p class="problem" role="alert">${t("purpose.short")}</p>` : nothing}
    </form>`;
  }

  private readonly onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    const said = new FormData(event.target as HTMLFormElement).get("purpose");
    const purpose = typeof said === "string" ? said.trim() : "";
    this.wrong = purpose.length < LEAST;
    if (!this.wrong) this.dispatchEvent(new CustomEvent("purpose", { detail: purpose }));
  };
}
