/** The saved layouts of posts: one is chosen; some people keep them. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Arrangement } from "../../live/layout";
import { asProblem, type Problem } from "../../net/problem";
import { icon } from "../../parts/icons";
import { notice } from "../../parts/notice";
import { controls } from "../../parts/styles";
import { LanguageController, problemText, t } from "../../words";
import { askCentre, post } from "./office";
import { panel } from "./panel";

export interface SavedLayout extends Arrangement {
  id: string;
  post: string;
  post_name: string;
  name: string;
}

interface Kept {
  layouts: SavedLayout[];
  posts: { id: string; name: string }[];
}

/** An empty `id`: it is shown for now and kept nowhere. Events: `choose` (detail: SavedLayout or null). */
@customElement("xy-layouts")
export class LayoutsElement extends LitElement {
  static override styles = [
    controls,
    panel,
    css`
      :host {
        display: inline-flex;
        gap: 4px;
        min-width: 0;
      }
      :host > select {
        flex: 1 1 auto;
        min-width: 64px;
        max-width: 200px;
        text-overflow: ellipsis;
      }
      @media (max-width: 640px) {
        :host > select {
          max-width: none;
        }
      }
    `,
  ];

  @property() address = "";
  @property({ attribute: false }) chosen: SavedLayout | null = null;
  /** What is on the wall now. */
  @property({ attribute: false }) shown: () => Arrangement = () => ({ size: 4, cells: [] });
  @state() private kept: Kept | null = null;
  @state() private problem: Problem | null = null;
  @query("dialog") private dialog!: HTMLDialogElement;

  constructor() {
    super();
    new LanguageController(this);
  }

  override firstUpdated(): void {
    void this.load();
  }

  override render() {
    const { kept } = this;
    if (!kept) return nothing;
    const posts = new Map(kept.layouts.map((layout) => [layout.post, layout.post_name]));
    const passing = this.chosen?.id === "" ? this.chosen : null;
    return html`${kept.layouts.length || passing
      ? html`<select aria-label=${t("layouts.title")} @change=${this.onChoose}>
          <option value="" ?selected=${!this.chosen}>${t("layouts.own")}</option>
          ${passing ? html`<option value="passing" selected>${passing.name}</option>` : nothing}
          ${[...posts].map(
            ([id, name]) =>
              html`<optgroup label=${name}>
                ${kept.layouts
                  .filter((layout) => layout.post === id)
                  .map((one) => html`<option value=${one.id} ?selected=${this.chosen?.id === one.id}>${one.name}</option>`)}
              </optgroup>`,
          )}
        </select>`
      : nothing}
    ${kept.posts.length
      ? html`<button title=${t("layouts.save")} aria-label=${t("layouts.save")} @click=${() => this.dialog.showModal()}>
          ${icon("save")}
        </button>`
      : nothing}
    ${this.saving(kept)}`;
  }

  private saving(kept: Kept) {
    return html`<dialog aria-labelledby="title" @click=${this.onOutside}>
      <h2 id="title">${t("layouts.save")}</h2>
      <form @submit=${this.onSave}>
        <p class="muted">${t("layouts.saveHow")}</p>
        <label>${t("layouts.name")}<input name="name" required maxlength="60" .value=${this.chosen?.name ?? ""} /></label>
        <label
          >${t("layouts.post")}<select name="post">
            ${kept.posts.map((one) => html`<option value=${one.id} ?selected=${this.chosen?.post === one.id}>${one.name}</option>`)}
          </select></label
        >
        ${this.problem ? html`<p class="problem" role="alert">${this.problem.detail || problemText(this.problem)}</p>` : nothing}
        <div class="row">
          <button class="primary">${t("layouts.keep")}</button>
          <button type="button" class="outlined" @click=${() => this.dialog.close()}>${t("nav.close")}</button>
          ${this.chosen && kept.posts.some((one) => one.id === this.chosen?.post)
            ? html`<button type="button" @click=${() => void this.drop()}>${t("layouts.remove")}</button>`
            : nothing}
        </div>
      </form>
    </dialog>`;
  }

  private async load(): Promise<void> {
    // Without the saved ones the wall works all the same; they are asked for again with the next page.
    this.kept = await askCentre<Kept>(this.address).catch(() => null);
  }

  private readonly onChoose = (event: Event): void => {
    const id = (event.target as HTMLSelectElement).value;
    if (id === "passing") return;
    this.tell(this.kept?.layouts.find((layout) => layout.id === id) ?? null);
  };

  private readonly onSave = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    try {
      const body = { name: form.get("name"), post: form.get("post"), ...this.shown() };
      const saved = await post<SavedLayout>(this.address, body);
      this.problem = null;
      this.dialog.close();
      await this.load();
      this.tell(saved);
      notice(t("layouts.saved", { name: saved.name }));
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  };

  private async drop(): Promise<void> {
    const { chosen } = this;
    if (!chosen) return;
    try {
      await askCentre(`${this.address}/${chosen.id}`, { method: "DELETE" });
      this.dialog.close();
      this.tell(null);
      await this.load();
      notice(t("layouts.removed", { name: chosen.name }));
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  }

  private tell(layout: SavedLayout | null): void {
    this.dispatchEvent(new CustomEvent("choose", { detail: layout }));
  }

  private readonly onOutside = (event: MouseEvent): void => {
    if (event.target === this.dialog) this.dialog.close();
  };
}
