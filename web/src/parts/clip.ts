/** Choosing a stretch exactly and taking it along: a clip, or the signed package. */

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { NodeClient } from "../net/client";
import { asProblem, isAbort, type Problem } from "../net/problem";
import type { Run, StreamName } from "../net/types";
import { clockText, dateText, lengthText, sizeText } from "../time/format";
import { readTyped } from "../time/typed";
import type { Stretch } from "../timeline/coverage";
import { LanguageController, problemText, t } from "../words";
import { icon } from "./icons";
import { notice } from "./notice";
import { controls } from "./styles";

const SETTLE_MS = 350;

/** Events: `select` (detail: Stretch), `set-in`, `set-out`, `clear`. */
@customElement("xy-clip")
export class ClipElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 12px;
        padding: 8px 8px 16px 16px;
      }
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
      }
      .body {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 24px;
        align-items: flex-end;
        padding-right: 8px;
      }
      .end {
        display: flex;
        gap: 4px;
        align-items: flex-end;
      }
      label {
        display: flex;
        flex-direction: column;
        gap: 4px;
        font-size: 13px;
        color: var(--muted);
      }
      input {
        width: 224px;
        background: var(--ground);
        font-size: 14px;
      }
      input[aria-invalid="true"] {
        border-color: var(--alarm);
      }
      dl {
        margin: 0;
        display: flex;
        gap: 24px;
        font-size: 13px;
        min-height: 44px;
      }
      dt {
        color: var(--muted);
      }
      dd {
        margin: 4px 0 0;
        font-size: 14px;
        font-weight: 600;
      }
      .do {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .verify {
        margin-top: 12px;
        font-size: 13px;
        display: flex;
        gap: 8px 16px;
        align-items: center;
        flex-wrap: wrap;
        padding-right: 8px;
      }
      .verify p {
        flex: 1 1 300px;
        font-size: 13px;
        color: var(--muted);
      }
      .problem {
        color: #ffd591;
        font-size: 14px;
        margin-top: 8px;
      }
      li small {
        font-weight: 400;
        color: var(--muted);
      }
      ul {
        margin: 8px 0 0;
        padding: 0;
        list-style: none;
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      /* A phone on its side: what the panel is for stays in sight while the rest is scrolled. */
      @media (min-width: 641px) and (max-height: 480px) {
        .do {
          position: sticky;
          bottom: 0;
          padding: 8px 0;
          background: var(--raised);
        }
      }
      @media (max-width: 640px) {
        .end,
        .end label,
        input,
        .do,
        .do button {
          width: 100%;
        }
        .end label {
          flex: 1;
        }
      }
    `,
  ];

  @property({ attribute: false }) client!: NodeClient;
  @property() camera = "";
  @property() stream: StreamName = "main";
  @property({ attribute: false }) selection!: Stretch;
  @property({ attribute: false }) nowMs = 0;
  @state() private bytes: number | null = null;
  @state() private masked = false;
  @state() private checking = false;
  @state() private problem: Problem | null = null;
  @state() private wrong: "from" | "to" | null = null;
  private timer = 0;
  private abort = new AbortController();

  constructor() {
    super();
    new LanguageController(this);
  }

  /** On a phone it opens below what is in sight. */
  override firstUpdated(): void {
    this.scrollIntoView({ block: "nearest" });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.abort.abort();
  }

  override updated(changed: PropertyValues<this>): void {
    if (!changed.has("selection") && !changed.has("camera") && !changed.has("stream")) return;
    const before = changed.get("selection");
    if (before?.from === this.selection.from && before.to === this.selection.to && !changed.has("camera")) return;
    this.bytes = null;
    this.masked = false;
    this.problem = null;
    this.wrong = null;
    this.checking = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.measure(), SETTLE_MS);
  }

  override render() {
    const { from, to } = this.selection;
    return html`<section aria-labelledby="title">
      <header>
        <h2 id="title">${t("clip.title")}</h2>
        <button aria-label=${t("clip.clear")} title=${t("clip.clear")} @click=${() => this.tell("clear")}>
          ${icon("close")}
        </button>
      </header>
      <div class="body">
        ${this.end("from", from)} ${this.end("to", to)}
        <dl>
          <div>
            <dt>${t("clip.length")}</dt>
            <dd>${lengthText(to - from)}</dd>
          </div>
          <div>
            <dt>${t("clip.size")}</dt>
            <dd aria-live="polite">${this.sizeWords()}</dd>
          </div>
        </dl>
        <div class="do">
          <button class="primary" ?disabled=${this.problem !== null} @click=${() => this.download("clip")}>
            ${icon("download")}${t("clip.video")}
          </button>
          <button class="outlined" ?disabled=${this.packageImpossible()} @click=${() => this.download("export")}>
            ${icon("certificate")}${t("clip.package")}
          </button>
        </div>
      </div>
      ${this.problemPart()}
      <div class="verify">
        <p>${t("clip.verify")}</p>
        <code>xomyen verify ho-so.zip</code>
      </div>
    </section>`;
  }

  private sizeWords(): string {
    if (this.checking) return "…";
    const bytes = this.runs.length ? this.runs.reduce((sum, run) => sum + run.bytes, 0) : this.bytes;
    return bytes === null ? t("clip.unknownSize") : sizeText(bytes);
  }

  private end(which: "from" | "to", ms: number) {
    const text = `${dateText(ms)} ${clockText(ms, true)}`;
    return html`<div class="end">
      <label
        >${t(which === "from" ? "clip.from" : "clip.to")}
        <input
          .value=${text}
          inputmode="text"
          autocomplete="off"
          aria-invalid=${this.wrong === which}
          @change=${(event: Event) => this.onTyped(which, event)}
        />
      </label>
      <button
        class="outlined"
        aria-label=${t(which === "from" ? "clip.setIn" : "clip.setOut")}
        title="${t(which === "from" ? "clip.setIn" : "clip.setOut")} (${which === "from" ? "I" : "O"})"
        @click=${() => this.tell(which === "from" ? "set-in" : "set-out")}
      >
        ${t("clip.here")}
      </button>
    </div>`;
  }

  /** What stands in the way of one clip: the recordings of this range, each a clip of its own. */
  private get runs(): Run[] {
    const { code, body } = this.problem ?? {};
    return code === "several_runs" && Array.isArray(body?.runs) ? (body.runs as Run[]) : [];
  }

  private packageImpossible(): boolean {
    return this.masked || (this.problem !== null && this.problem.code !== "several_runs");
  }

  private problemPart() {
    if (!this.problem) return this.masked ? html`<p class="problem" role="status">${t("clip.masked")}</p>` : nothing;
    const { runs } = this;
    if (!runs.length) return html`<p class="problem" role="alert">${problemText(this.problem)}</p>`;
    return html`<p class="problem" role="status">${t("clip.runs", { n: runs.length })}</p>
      <ul>
        ${runs.map(
          (run, i) =>
            html`<li>
              <button class="outlined" @click=${() => this.download("clip", run.run)}>
                ${icon("download")}${t("clip.run", { n: i + 1 })}
                <small>${clockText(Date.parse(run.from))}–${clockText(Date.parse(run.to))} · ${sizeText(run.bytes)}</small>
              </button>
            </li>`,
        )}
      </ul>`;
  }

  private onTyped(which: "from" | "to", event: Event): void {
    const typed = readTyped((event.target as HTMLInputElement).value, this.nowMs);
    const next = typed === null ? null : { ...this.selection, [which]: typed };
    if (!next || next.to <= next.from || next.from > this.nowMs) {
      this.wrong = which;
      notice(t(next ? "clip.reversed" : "player.jumpWrong"));
      return;
    }
    this.wrong = null;
    this.dispatchEvent(new CustomEvent("select", { detail: next }));
  }

  /** Asks for one byte: the answer tells the size, or why there is no such clip. */
  private async measure(): Promise<void> {
    this.abort.abort();
    const abort = new AbortController();
    this.abort = abort;
    try {
      const { from, to } = this.selection;
      const facts = await this.client.clipFacts(this.camera, this.stream, from, to, abort.signal);
      this.bytes = facts.bytes;
      this.masked = facts.masked;
    } catch (reason) {
      if (isAbort(reason)) return;
      this.problem = asProblem(reason);
    }
    this.checking = false;
  }

  private async download(kind: "clip" | "export", run?: string): Promise<void> {
    const { from, to } = this.selection;
    try {
      await this.client.take(kind, this.camera, this.stream, from, to, run);
      notice(t("clip.started"));
    } catch (reason) {
      this.problem = asProblem(reason);
    }
  }

  private tell(name: string): void {
    this.dispatchEvent(new CustomEvent(name));
  }
}

