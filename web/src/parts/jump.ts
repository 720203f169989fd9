/** Asks for a moment by typing it. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { clockText, dateText } from "../time/format";
import { readTyped } from "../time/typed";
import { LanguageController, t } from "../words";
import { controls } from "./styles";

/** Events: `jump` (detail: ms). */
@customElement("xy-jump")
export class JumpElement extends LitElement {
  static override styles = [
    controls,
    css`
      dialog {
        background: var(--raised);
        color: var(--text);
        border: 1px solid var(--line);
        border-radius: 12px;
        padding: 24px;
        width: min(400px, calc(100vw - 32px));
      }
      dialog::backdrop {
        background: rgb(5 8 10 / 60%);
      }
      form {
        display: flex;
        flex-direction: column;
        gap: 12px;
      }
      .row {
        display: flex;
        gap: 8px;
      }
      input {
        flex: 1;
        min-width: 0;
        font-size: 18px;
        background: var(--ground);
      }
      p {
        font-size: 13px;
        min-height: 40px;
      }
      .wrong {
        color: #ffd591;
      }
      label {
        font-weight: 600;
      }
    `,
  ];

  @property({ attribute: false }) now: () => number = () => Date.now();
  @state() private wrong: "jumpWrong" | "jumpFuture" | null = null;
  @query("dialog") private dialog!: HTMLDialogElement;
  @query("input") private field!: HTMLInputElement;

  constructor() {
    super();
    new LanguageController(this);
  }

  /** Opens with this moment to begin from, ms. */
  show(ms: number): void {
    if (this.dialog.open) return;
    this.wrong = null;
    this.field.value = `${dateText(ms)} ${clockText(ms)}`;
    this.dialog.showModal();
    this.field.select();
  }

  override render() {
    return html`<dialog @click=${this.onClick}>
      <form @submit=${this.onSubmit}>
        <label for="moment">${t("player.jump")}</label>
        <div class="row">
          <input id="moment" autocomplete="off" spellcheck="false" aria-describedby="hint" aria-invalid=${this.wrong !== null} />
          <button class="primary">${t("player.jumpGo")}</button>
        </div>
        <p id="hint" class="muted">
          ${t("player.jumpHint")}${this.wrong
            ? html`<br /><span class="wrong" role="alert">${t(`player.${this.wrong}`)}</span>`
            : nothing}
        </p>
      </form>
    </dialog>`;
  }

  private readonly onClick = (event: MouseEvent): void => {
    if (event.target === this.dialog) this.dialog.close();
  };

  private readonly onSubmit = (event: Event): void => {
    event.preventDefault();
    const now = this.now();
    const ms = readTyped(this.field.value, now);
    this.wrong = ms === null ? "jumpWrong" : ms > now ? "jumpFuture" : null;
    if (ms === null || this.wrong) return;
    this.dialog.close();
    this.dispatchEvent(new CustomEvent("jump", { detail: ms }));
  };
}
