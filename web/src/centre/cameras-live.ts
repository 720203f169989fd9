/** A camera's live picture, beside the buttons that turn it. */

import { html } from "lit";
import { customElement, property } from "lit/decorators.js";
import "../parts/picture";
import "../tokens.css";
import { problemText, t } from "../words";
import { StreetElement } from "./watch/street-element";

@customElement("xy-camera-live")
export class CameraLiveElement extends StreetElement {
  @property() camera = "";

  /** Its styles are those of the page. */
  protected override createRenderRoot(): this {
    return this;
  }

  override firstUpdated(): void {
    void this.keeper.want("live", { use: "live", cameras: [this.camera] });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.keeper.close();
  }

  override render() {
    const { street } = this;
    const camera = street.camera(this.camera);
    const house = street.of(this.camera);
    if (!camera || !house) {
      return html`<p role="status">${street.trouble ? problemText(street.trouble) : t("player.loading")}</p>`;
    }
    return html`<xy-picture .house=${house} .camera=${camera} .stream=${camera.streams.sub ? "sub" : "main"}></xy-picture>`;
  }
}
