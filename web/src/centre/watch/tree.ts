/** The cameras by unit, found by what they are called: marks may be left out. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Watched } from "../../house";
import { asProblem, type Problem } from "../../net/problem";
import { icon } from "../../parts/icons";
import { controls } from "../../parts/styles";
import { LanguageController, problemText, t } from "../../words";
import { askCentre } from "./office";
import { camerasText } from "./places";

const SETTLE_MS = 150;

interface Listed {
  id: string;
  code: string;
  name: string;
  site: string;
  /** As the centre heard last: `live`, `lost` or `unknown`. */
  state: string;
}

interface UnitListed {
  id: string;
  name: string;
  cameras: Listed[];
}

interface Branch {
  id: string;
  name: string;
  cameras: number;
  lost: number;
  /** What hangs in the unit itself, beside the units under it. */
  own: boolean;
}

/** Either the cameras themselves, or of too many the units they are in. */
interface Found {
  units?: UnitListed[];
  branches?: Branch[];
  more?: boolean;
}

/** The cameras of a unit, to be shown together. */
export interface OfUnit {
  name: string;
  cameras: readonly string[];
}

const keyOf = (branch: Branch): string => `${branch.id}${branch.own ? "own" : ""}`;

/** Events: `pick` (detail: id of a camera), `wall` (detail: OfUnit; where `together` is set), `close`. */
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
      .unit {
        display: flex;
        align-items: center;
        position: sticky;
        top: 0;
        background: var(--raised);
      }
      h2 {
        flex: 1;
        min-width: 0;
        font-size: 13px;
        color: var(--muted);
        padding: 12px 8px 4px;
      }
      .branch {
        width: 100%;
        justify-content: flex-start;
        text-align: start;
        white-space: normal;
        padding: 4px 8px 4px 0;
        gap: 4px;
        font-weight: 500;
      }
      .branch > span:first-of-type {
        flex: 1;
        min-width: 0;
        line-height: 1.35;
      }
      .branch .count {
        color: var(--muted);
        font-size: 13px;
        font-variant-numeric: tabular-nums;
      }
      .branch .gone {
        display: inline-flex;
        align-items: center;
        gap: 4px;
        font-size: 13px;
        color: #ff9ea1;
      }
      .branch .gone::before {
        content: "";
        width: 10px;
        height: 10px;
        border-radius: 2px;
        background: var(--alarm);
      }
      .inside {
        padding-inline-start: 12px;
        border-inline-start: 1px solid var(--line);
        margin-inline-start: 11px;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li > button {
        width: 100%;
        justify-content: flex-start;
        text-align: start;
        white-space: normal;
        padding: 4px 8px;
        font-weight: 400;
      }
      li > button:not(.branch) > span {
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
      .dot.live,
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
  /** Whether a unit's cameras can be put on the wall together. */
  @property({ type: Boolean }) together = false;
  @state() private found: Found | null = null;
  @state() private problem: Problem | null = null;
  /** What is in the branches that were opened, by their keys; null while it is on the way. */
  @state() private inside: ReadonlyMap<string, Found | null> = new Map();
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
    if (!this.found.branches?.length && !this.found.units?.length) {
      return html`<p role="status">${t(this.wanted ? "tree.nothing" : "tree.empty")}</p>`;
    }
    return this.content(this.found);
  }

  private content(found: Found): unknown {
    if (found.branches) return html`<ul>${found.branches.map((branch) => html`<li>${this.branch(branch)}</li>`)}</ul>`;
    return html`${(found.units ?? []).map((unit) => this.unit(unit))}
    ${found.more ? html`<p class="muted">${t("tree.more")}</p>` : nothing}`;
  }

  private branch(branch: Branch) {
    const key = keyOf(branch);
    const open = this.inside.has(key);
    const found = this.inside.get(key);
    return html`<button class="branch" aria-expanded=${open} @click=${() => void this.toggle(branch)}>
        ${icon(open ? "chevronDown" : "chevronRight")}
        <span>${branch.own ? t("tree.own", { name: branch.name }) : branch.name}</span>
        ${branch.lost
          ? html`<span class="gone" title=${t("map.lost", { n: branch.lost })}
              ><span aria-hidden="true">${branch.lost}</span><span class="hidden-text">${t("map.lost", { n: branch.lost })}</span></span
            >`
          : nothing}
        <span class="count"><span aria-hidden="true">${branch.cameras}</span><span class="hidden-text">${camerasText(branch.cameras)}</span></span>
      </button>
      ${open
        ? html`<div class="inside">${found ? this.content(found) : html`<p class="muted" role="status">${t("wall.loading")}</p>`}</div>`
        : nothing}`;
  }

  private unit(unit: UnitListed) {
    const told: OfUnit = { name: unit.name, cameras: unit.cameras.map((camera) => camera.id) };
    return html`<div class="unit">
        <h2>${unit.name}</h2>
        ${this.together
          ? html`<button
              title=${t("tree.wall")}
              aria-label="${t("tree.wall")}: ${unit.name}"
              @click=${() => this.dispatchEvent(new CustomEvent("wall", { detail: told }))}
            >
              ${icon("wall")}
            </button>`
          : nothing}
      </div>
      <ul>
        ${unit.cameras.map((camera) => html`<li>${this.line(camera)}</li>`)}
      </ul>`;
  }

  private line(camera: Listed) {
    const state = this.house.camera(camera.id)?.streams.main.state ?? camera.state;
    return html`<button data-camera=${camera.id} @click=${() => this.pick(camera.id)}>
      <i class="dot ${state}" aria-hidden="true"></i>
      <span>${camera.code} ${camera.name}<small>${camera.site}</small></span>
      ${state === "lost" ? html`<span class="hidden-text">${t("tree.lost")}</span>` : nothing}
    </button>`;
  }

  private async toggle(branch: Branch): Promise<void> {
    const key = keyOf(branch);
    if (this.inside.has(key)) {
      this.inside = new Map([...this.inside].filter(([one]) => one !== key));
      return;
    }
    this.inside = new Map(this.inside).set(key, null);
    try {
      const found = await this.ask({ unit: branch.id, ...(branch.own ? { own: "1" } : {}) });
      if (this.inside.has(key)) this.inside = new Map(this.inside).set(key, found);
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  }

  private ask(query: Record<string, string>): Promise<Found> {
    return askCentre<Found>(`${this.address}?${new URLSearchParams(query).toString()}`);
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
    const first = this.found?.units?.[0]?.cameras[0];
    if (event.key === "Enter" && first) this.pick(first.id);
    if (event.key === "Escape") this.dispatchEvent(new Event("close"));
  };

  private async search(): Promise<void> {
    const { wanted } = this;
    try {
      const found = await this.ask({ q: wanted });
      if (wanted !== this.wanted) return;
      this.found = found;
      this.inside = new Map();
      this.problem = null;
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  }

  private readonly redraw = (): void => this.requestUpdate();
}
