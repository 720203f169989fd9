/** The pages with pictures of a centre: the tickets, the address, and the page that belongs to it. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import "../../pages/camera";
import "../../pages/wall";
import "../../parts/keys";
import type { KeysElement } from "../../parts/keys";
import "../../parts/notice";
import { controls } from "../../parts/styles";
import { readRoute, type Route } from "../../route";
import { Street } from "../../street";
import { LanguageController, t } from "../../words";
import { Keeper } from "./keeper";
import { readStart } from "./office";

@customElement("xy-watch")
export class WatchElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        height: 100%;
      }
    `,
  ];

  @state() private route: Route = readRoute(location);
  @query("xy-keys") private keys!: KeysElement;
  private readonly start = readStart();
  private readonly street = new Street(this.start.viewer);
  private readonly keeper = new Keeper(this.start, this.street);

  constructor() {
    super();
    new LanguageController(this);
    globalThis.addEventListener("xy-route", this.onRoute);
    globalThis.addEventListener("popstate", this.onRoute);
    globalThis.addEventListener("keydown", this.onKey);
    this.street.addEventListener("cameras", () => this.requestUpdate());
  }

  override firstUpdated(): void {
    void this.keeper.want("wall", { use: "live" });
    this.onRoute();
  }

  override render() {
    const { route } = this;
    const camera = route.page === "camera" ? route.camera : null;
    const name = camera === null ? t("wall.title") : (this.street.camera(camera)?.name ?? t("player.title"));
    document.title = `${name} · ${t("app.name")}`;
    return html`${camera === null ? html`<xy-wall .house=${this.street} @keys=${this.onKeys}></xy-wall>` : this.player()}
      <xy-keys></xy-keys><xy-notice></xy-notice>`;
  }

  private player() {
    const { route } = this;
    if (route.page !== "camera") return nothing;
    return html`<xy-camera-page
      .house=${this.street}
      .camera=${route.camera}
      .atMs=${route.atMs}
      .selection=${route.selection}
      @keys=${this.onKeys}
    ></xy-camera-page>`;
  }

  private readonly onRoute = (): void => {
    const before = this.route.page === "camera" ? this.route.camera : null;
    this.route = readRoute(location);
    const camera = this.route.page === "camera" ? this.route.camera : null;
    if (camera === null) {
      if (before !== null) void this.keeper.want("player", null);
    } else if (camera !== before || !this.hasUpdated) void this.keeper.want("player", { use: "past", cameras: [camera] });
  };

  private readonly onKeys = (): void => this.keys.show();

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey) return;
    if (event.composedPath()[0] instanceof HTMLInputElement) return;
    this.keys.show();
  };
}
