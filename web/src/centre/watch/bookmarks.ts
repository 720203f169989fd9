/** Moments of a camera that somebody wants to find again, beside its player. */

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { iso } from "../../net/client";
import { asProblem, type Problem } from "../../net/problem";
import { icon } from "../../parts/icons";
import { notice } from "../../parts/notice";
import { controls } from "../../parts/styles";
import { momentText } from "../../time/format";
import { LanguageController, problemText, t } from "../../words";
import { askCentre, post } from "./office";
import { panel } from "./panel";

interface Bookmark {
  id: string;
  at: string;
  note: string;
  who: string;
  mine: boolean;
}

/** Events: `seek` (detail: ms). */
@customElement("xy-bookmarks")
export class BookmarksElement extends LitElement {
  static override styles = [
    controls,
    panel,
    css`
      :host {
        display: flex;
        gap: 8px;
        align-items: center;
        overflow-x: auto;
      }
      ul {
        display: flex;
        gap: 8px;
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        display: flex;
        flex: none;
        background: var(--raised);
        border-radius: var(--radius);
      }
      button {
        flex: none;
      }
      li span {
        max-width: 220px;
        overflow: hidden;
        text-overflow: ellipsis;
        font-weight: 400;
      }
    `,
  ];

  @property() address = "";
  @property() camera = "";
  /** The moment on the screen, ms; asked for when one is made. */
  @property({ attribute: false }) moment: () => number = () => Date.now();
  @state() private marks: Bookmark[] = [];
  @state() private problem: Problem | null = null;
  @state() private at = 0;
  @query("dialog") private dialog!: HTMLDialogElement;
  @query("input") private field!: HTMLInputElement;

  constructor() {
    super();
    new LanguageController(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener("keydown", this.onKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener("keydown", this.onKey);
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("camera")) void this.load();
  }

  override render() {
    const now = Date.now();
    return html`<button class="outlined" title="${t("bookmark.add")} (B)" @click=${() => this.begin()}>
        ${icon("bookmark")}${t("bookmark.add")}
      </button>
      <ul aria-label=${t("bookmark.title")}>
        ${this.marks.map(
          (mark) =>
            html`<li>
              <button title="${mark.note} – ${mark.who}" @click=${() => this.seek(mark)}>
                ${momentText(Date.parse(mark.at), now)} <span>${mark.note}</span>
              </button>
              ${mark.mine
                ? html`<button aria-label="${t("bookmark.remove")}: ${mark.note}" @click=${() => void this.drop(mark)}>
                    ${icon("close")}
                  </button>`
                : nothing}
            </li>`,
        )}
      </ul>
      <dialog aria-labelledby="title" @click=${this.onOutside}>
        <h2 id="title">${t("bookmark.at", { time: momentText(this.at, now) })}</h2>
        <form @submit=${this.onSave}>
          <label>${t("bookmark.note")}<input name="note" required maxlength="300" autocomplete="off" /></label>
          ${this.problem ? html`<p class="problem" role="alert">${this.problem.detail || problemText(this.problem)}</p>` : nothing}
          <div class="row">
            <button class="primary">${t("bookmark.keep")}</button>
            <button type="button" class="outlined" @click=${() => this.dialog.close()}>${t("nav.close")}</button>
          </div>
        </form>
      </dialog>`;
  }

  private begin(): void {
    this.at = this.moment();
    this.problem = null;
    this.field.value = "";
    this.dialog.showModal();
    this.field.focus();
  }

  private seek(mark: Bookmark): void {
    this.dispatchEvent(new CustomEvent("seek", { detail: Date.parse(mark.at) }));
  }

  private async load(): Promise<void> {
    const { camera } = this;
    const address = `${this.address}?camera=${camera}`;
    // Without them the player works all the same.
    const told = await askCentre<{ bookmarks: Bookmark[] }>(address).catch(() => ({ bookmarks: [] }));
    if (camera === this.camera) this.marks = told.bookmarks;
  }

  private readonly onSave = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    try {
      await post(this.address, { camera: this.camera, at: iso(this.at), note: this.field.value });
      this.dialog.close();
      await this.load();
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  };

  private async drop(mark: Bookmark): Promise<void> {
    try {
      await askCentre(`${this.address}/${mark.id}`, { method: "DELETE" });
    } catch (reason) {
      notice(problemText(asProblem(reason)));
    }
    await this.load();
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key.toLowerCase() !== "b" || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    event.preventDefault();
    if (!this.dialog.open) this.begin();
  };

  private readonly onOutside = (event: MouseEvent): void => {
    if (event.target === this.dialog) this.dialog.close();
  };
}
