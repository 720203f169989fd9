/** Short messages at the foot of the page; they go by themselves. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

const SHOWN_MS = 5000;

export function notice(text: string): void {
  globalThis.dispatchEvent(new CustomEvent("xy-notice", { detail: text }));
}

@customElement("xy-notice")
export class NoticeElement extends LitElement {
  static override styles = css`
    div {
      position: fixed;
      inset: auto 0 24px 0;
      display: flex;
      justify-content: center;
      pointer-events: none;
      z-index: 20;
      padding: 0 16px;
    }
    p {
      margin: 0;
      background: var(--text);
      color: var(--ground);
      border-radius: 8px;
      padding: 12px 16px;
      font-size: 14px;
      font-weight: 500;
      line-height: 1.4;
      max-width: 560px;
      box-shadow: 0 8px 24px rgb(0 0 0 / 50%);
    }
  `;

  @state() private text = "";
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener("xy-notice", this.onNotice);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener("xy-notice", this.onNotice);
  }

  override render() {
    return html`<div role="status" aria-live="polite">${this.text ? html`<p>${this.text}</p>` : nothing}</div>`;
  }

  private readonly onNotice = (event: Event): void => {
    this.text = (event as CustomEvent<string>).detail;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.text = ""), SHOWN_MS);
  };
}
