/** Keeps the picture on the screen as a file, with who kept it written over it. */

import { css, html, LitElement } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { House } from "../../house";
import { keptStream } from "../../net/types";
import { asProblem } from "../../net/problem";
import { icon } from "../../parts/icons";
import { notice } from "../../parts/notice";
import { controls } from "../../parts/styles";
import { markText, writeOver } from "../../parts/watermark";
import { wall } from "../../time/zone";
import { LanguageController, problemText, t } from "../../words";

const WIDEST = 3840;
const SCREEN = 960;
const KEPT_MS = 60_000;

@customElement("xy-keep-still")
export class KeepStillElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        flex: none;
      }
    `,
  ];

  @property({ attribute: false }) house!: House;
  @property() camera = "";
  /** The moment on the screen, ms; null while the picture is live. */
  @property({ attribute: false }) moment: () => number | null = () => null;
  @state() private working = false;

  constructor() {
    super();
    new LanguageController(this);
  }

  override render() {
    return html`<button class="outlined" ?disabled=${this.working} @click=${() => void this.keep()}>
      ${icon("picture")}${t("still.keep")}
    </button>`;
  }

  private async keep(): Promise<void> {
    const camera = this.house.camera(this.camera);
    if (!camera) return;
    this.working = true;
    try {
      const { client, viewer } = this.house;
      const asked = this.moment();
      const still = await client.still(camera.id, keptStream(camera), asked, WIDEST, "frame", new AbortController().signal);
      const atMs = still.atMs ?? asked ?? this.house.clock.now();
      save(await marked(still.picture, markText(viewer, atMs)), `${camera.name} ${fileTime(atMs)}.jpg`);
    } catch (reason) {
      notice(problemText(asProblem(reason)));
    } finally {
      this.working = false;
    }
  }
}

/** The time as it is on the clock here, in what every system takes as a file's name. */
function fileTime(ms: number): string {
  return wall(ms).toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".");
}

async function marked(picture: ImageBitmap, text: string): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.drawImage(picture, 0, 0);
  picture.close();
  // As large as on the screen, however fine the picture is.
  const scale = Math.max(1, canvas.width / SCREEN);
  pen.scale(scale, scale);
  writeOver(pen, canvas.width / scale, canvas.height / scale, text);
  return new Promise((resolve, reject) => {
    canvas.toBlob((made) => (made ? resolve(made) : reject(new Error("no picture"))), "image/jpeg", 0.92);
  });
}

function save(data: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data);
  link.download = name.replaceAll(/[\\/:*?"<>|]/g, "-");
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads it after this.
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
