/** The list of keyboard keys, shown under `?`. */

import { css, html, LitElement } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { LanguageController, t, type Word } from "../words";
import { icon } from "./icons";
import { controls } from "./styles";

export type Row = [keys: string, word: Word];

const WALL: readonly Row[] = [
  ["1 2 3 4 5", "keys.layouts"],
  ["← ↑ → ↓", "keys.move"],
  ["Alt+←→↑↓", "keys.swap"],
  ["Enter", "keys.big"],
  ["O", "keys.open"],
  ["PgUp PgDn", "keys.pages"],
  ["F", "keys.full"],
  ["?", "keys.help"],
];

const PLAYER: readonly Row[] = [
  ["Space", "keys.play"],
  ["← →", "keys.seconds"],
  ["Shift+← Shift+→", "keys.minutes"],
  [", .", "keys.frames"],
  ["↑ ↓", "keys.speeds"],
  ["+ −", "keys.zoom"],
  ["I O", "keys.inOut"],
  ["G", "keys.jump"],
  ["N", "keys.now"],
  ["PgUp PgDn", "keys.cameras"],
  ["F", "keys.full"],
  ["Esc", "keys.leave"],
];

@customElement("xy-keys")
export class KeysElement extends LitElement {
  static override styles = [
    controls,
    css`
      dialog {
        background: var(--raised);
        color: var(--text);
        border: 1px solid var(--line);
        border-radius: 12px;
        padding: 0;
        width: min(760px, calc(100vw - 32px));
        max-height: calc(100dvh - 32px);
      }
      dialog::backdrop {
        background: rgb(5 8 10 / 70%);
      }
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        padding: 8px 8px 8px 24px;
        border-bottom: 1px solid var(--line);
      }
      .lists {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(280px, 1fr));
        gap: 8px 32px;
        padding: 16px 24px 24px;
      }
      h3 {
        font-size: 14px;
        color: var(--muted);
        margin-bottom: 8px;
      }
      dl {
        margin: 0;
        display: grid;
        grid-template-columns: 144px 1fr;
        gap: 8px 16px;
        font-size: 14px;
        line-height: 24px;
      }
      dd {
        margin: 0;
      }
      dt {
        display: flex;
        gap: 4px;
        flex-wrap: wrap;
        align-items: center;
      }
      kbd {
        font: inherit;
        font-size: 12px;
        line-height: 20px;
        padding: 0 7px;
        border: 1px solid var(--control-line);
        border-radius: 5px;
      }
    `,
  ];

  /** What a player has here besides. */
  @property({ attribute: false }) more: readonly Row[] = [];
  @query("dialog") private dialog!: HTMLDialogElement;

  constructor() {
    super();
    new LanguageController(this);
  }

  show(): void {
    if (!this.dialog.open) this.dialog.showModal();
  }

  override render() {
    return html`<dialog aria-labelledby="title" @click=${this.onClick}>
      <header>
        <h2 id="title">${t("keys.title")}</h2>
        <button aria-label=${t("nav.close")} @click=${() => this.dialog.close()}>${icon("close")}</button>
      </header>
      <div class="lists">${this.list("keys.wall", WALL)}${this.list("keys.player", [...PLAYER, ...this.more])}</div>
    </dialog>`;
  }

  private list(title: Word, rows: readonly Row[]) {
    return html`<section>
      <h3>${t(title)}</h3>
      <dl>
        ${rows.map(
          ([keys, word]) =>
            html`<dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt>
              <dd>${t(word)}</dd>`,
        )}
      </dl>
    </section>`;
  }

  private readonly onClick = (event: MouseEvent): void => {
    if (event.target === this.dialog) this.dialog.close();
  };
}
