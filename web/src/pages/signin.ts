/** Signing in with the one-time link that the node printed. */

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import emblem from "../favicon.svg";
import type { NodeClient } from "../net/client";
import { asProblem, type Problem } from "../net/problem";
import { controls } from "../parts/styles";
import { LanguageController, language, problemText, setLanguage, t } from "../words";

/** Events: `signed-in`. */
@customElement("xy-signin")
export class SigninElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        min-height: 100dvh;
        padding: 24px 16px;
        box-sizing: border-box;
        gap: 16px;
      }
      main {
        width: 100%;
        max-width: 440px;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 12px;
        padding: 32px;
        display: flex;
        flex-direction: column;
        gap: 16px;
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 12px;
        font-weight: 600;
        font-size: 18px;
      }
      .brand img {
        width: 36px;
        height: 36px;
      }
      form {
        display: flex;
        flex-direction: column;
        gap: 8px;
      }
      label {
        font-size: 14px;
        font-weight: 500;
      }
      input {
        width: 100%;
        font-size: 16px;
        background: var(--ground);
      }
      .message {
        border-left: 3px solid var(--warn);
        background: rgb(245 165 36 / 10%);
        border-radius: 0 8px 8px 0;
        padding: 12px 16px;
        font-size: 14px;
      }
      .message.calm {
        border-color: var(--accent);
        background: rgb(43 179 163 / 10%);
      }
      .how {
        border-top: 1px solid var(--line);
        padding-top: 16px;
        display: flex;
        flex-direction: column;
        gap: 8px;
        font-size: 14px;
      }
      .how h2 {
        font-size: 14px;
      }
      p {
        font-size: 14px;
      }
    `,
  ];

  @property({ attribute: false }) client!: NodeClient;
  @property({ attribute: false }) code: string | null = null;
  @property({ attribute: false }) why: "ended" | "out" | null = null;
  @state() private busy = false;
  @state() private problem: Problem | null = null;
  @query("input") private field!: HTMLInputElement;

  constructor() {
    super();
    new LanguageController(this);
  }

  override updated(changed: PropertyValues<this>): void {
    if (!changed.has("code") || this.code === null) return;
    // The code is a secret: it goes out of the address before anything else happens.
    history.replaceState(null, "", "/signin");
    void this.send(this.code);
  }

  override render() {
    return html`<main aria-busy=${this.busy}>
        <div class="brand"><img src=${emblem} alt="" />${t("app.name")}</div>
        <h1>${this.busy ? t("signin.busy") : t("signin.title")}</h1>
        ${this.message()}
        <p class="muted">${t("signin.lead")}</p>
        <form @submit=${this.onSubmit}>
          <label for="code">${t("signin.code")}</label>
          <input id="code" name="code" autocomplete="one-time-code" autocapitalize="off" spellcheck="false" required />
          <button class="primary" ?disabled=${this.busy}>${t("signin.submit")}</button>
        </form>
        <section class="how">
          <h2>${t("signin.howTitle")}</h2>
          <p class="muted">${t("signin.how")}</p>
          <code>xomyen signin</code>
        </section>
      </main>
      <button @click=${this.onLanguage} lang=${language() === "vi" ? "en" : "vi"}>${t("nav.language")}</button>`;
  }

  private message() {
    if (this.problem) return html`<p class="message" role="alert">${this.problemText(this.problem)}</p>`;
    if (this.why === "ended" && !this.busy) return html`<p class="message" role="status">${t("signin.ended")}</p>`;
    if (this.why === "out" && !this.busy) return html`<p class="message calm" role="status">${t("signin.out")}</p>`;
    return nothing;
  }

  private problemText(problem: Problem): string {
    return problem.status === 401 || problem.status === 403 || problem.status === 404
      ? t("signin.used")
      : problemText(problem);
  }

  private readonly onLanguage = (): void => setLanguage(language() === "vi" ? "en" : "vi");

  private readonly onSubmit = (event: Event): void => {
    event.preventDefault();
    // Whole links are pasted as often as codes.
    const text = this.field.value.trim().replace(/^.*#(?:code=)?/, "");
    if (text) void this.send(text);
  };

  private async send(code: string): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = null;
    try {
      await this.client.signIn(code);
      this.dispatchEvent(new CustomEvent("signed-in"));
    } catch (reason) {
      this.problem = asProblem(reason);
    }
    this.busy = false;
  }
}
