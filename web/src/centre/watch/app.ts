/** The pages with pictures of a centre: the tickets, the address, and the page that belongs to it. */

import { css, html, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { layoutFor } from "../../live/layout";
import "../../pages/camera";
import type { CameraPageElement } from "../../pages/camera";
import "../../pages/wall";
import type { WallElement } from "../../pages/wall";
import { icon } from "../../parts/icons";
import "../../parts/keys";
import type { KeysElement, Row } from "../../parts/keys";
import { remember, remembered } from "../../parts/memory";
import { notice } from "../../parts/notice";
import { controls } from "../../parts/styles";
import { cameraAddress, go, MOST_TOGETHER, readRoute, type Route, togetherAddress } from "../../route";
import { t } from "../../words";
import "./bookmarks";
import "./keep-still";
import "./layouts";
import type { SavedLayout } from "./layouts";
import "./purpose";
import { StreetElement } from "./street-element";
import "./together";
import "./tree";
import type { OfUnit } from "./tree";

/** As many pictures as the centre gives tickets for at once. */
const MOST_ON_A_WALL = 250;
const BOOKMARKING: readonly Row[] = [["B", "bookmark.add"]];

@customElement("xy-watch")
export class WatchElement extends StreetElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        height: 100%;
      }
      .across {
        display: flex;
        height: 100%;
        position: relative;
      }
      xy-wall {
        flex: 1;
        min-width: 0;
      }
      .beside {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        align-items: center;
      }
      xy-bookmarks {
        min-width: 0;
      }
      .empty {
        display: grid;
        justify-items: center;
        gap: 16px;
      }
      .empty p {
        max-width: 520px;
        margin: 0;
        color: var(--muted);
        text-wrap: balance;
      }
    `,
  ];

  @state() private route: Route = readRoute(location);
  @state() private tree = remembered("tree", false, (value): value is boolean => typeof value === "boolean");
  @state() private chosen: SavedLayout | null = null;
  @query("xy-keys") private keys!: KeysElement;
  @query("xy-wall") private wall?: WallElement;
  @query("xy-camera-page") private camera?: CameraPageElement;
  private purpose = "";

  constructor() {
    super();
    globalThis.addEventListener("xy-route", this.onRoute);
    globalThis.addEventListener("popstate", this.onRoute);
    globalThis.addEventListener("keydown", this.onKey);
    this.keeper.addEventListener("purpose", () => this.requestUpdate());
  }

  override firstUpdated(): void {
    void this.keeper.want("wall", { use: "live" });
    if (this.looked.length) this.look("");
  }

  override render() {
    const { route } = this;
    document.title = `${this.titleOf(route)} · ${t("app.name")}`;
    return html`${this.page(route)}<xy-keys .more=${this.start.bookmarks ? BOOKMARKING : []}></xy-keys><xy-notice></xy-notice>`;
  }

  private titleOf(route: Route): string {
    if (route.page === "camera") return this.street.camera(route.camera)?.name ?? t("player.title");
    return t(route.page === "together" ? "together.title" : "wall.title");
  }

  private page(route: Route) {
    if (route.page === "camera") return this.player(route);
    return route.page === "together" ? this.together(route) : this.live();
  }

  private together(route: Route & { page: "together" }) {
    return html`<xy-together
      .house=${this.street}
      .cameras=${route.cameras}
      .atMs=${route.atMs}
      .address=${this.start.cameras}
    >
      ${route.cameras.some((id) => this.keeper.needsPurpose.includes(id)) ? this.asking() : nothing}
    </xy-together>`;
  }

  private asking() {
    return html`<xy-purpose
      slot="instead-of-time"
      .said=${this.purpose}
      @purpose=${(event: CustomEvent<string>) => this.say(event.detail)}
    ></xy-purpose>`;
  }

  /** From the player: this camera and what else is chosen, at the moment on the screen. */
  private besides(camera: string) {
    const { start, street } = this;
    const house = street.of(camera);
    const past = start.side_by_side && house?.may("past");
    if (!house || (!past && !house.may("still"))) return nothing;
    const still = html`<xy-keep-still
      .house=${house}
      .camera=${camera}
      .moment=${() => (this.camera?.isLive ? null : (this.camera?.moment ?? null))}
    ></xy-keep-still>`;
    if (!past) return html`<div slot="beside" class="beside">${still}</div>`;
    return html`<div slot="beside" class="beside">
      ${start.bookmarks
        ? html`<xy-bookmarks
            .address=${start.bookmarks}
            .camera=${camera}
            .moment=${() => this.camera?.moment ?? Date.now()}
            @seek=${(event: CustomEvent<number>) => void this.camera?.seek(event.detail)}
          ></xy-bookmarks>`
        : nothing}
      <button class="outlined" @click=${() => this.compare([camera], this.camera?.moment ?? Date.now())}>
        ${icon("together")}${t("together.open")}
      </button>
      ${still}
    </div>`;
  }

  private compare(cameras: readonly string[], atMs: number): void {
    if (cameras.length > MOST_TOGETHER) notice(t("together.full"));
    go(togetherAddress(cameras.slice(0, MOST_TOGETHER), Math.min(atMs, this.street.clock.now() - 5000)));
  }

  private live() {
    const { start } = this;
    return html`<div class="across">
      ${this.tree
        ? html`<xy-tree
            .house=${this.street}
            .address=${start.cameras}
            together
            @pick=${(event: CustomEvent<string>) => this.onPick(event.detail)}
            @wall=${(event: CustomEvent<OfUnit>) => this.showUnit(event.detail)}
            @close=${() => this.showTree(false)}
          ></xy-tree>`
        : nothing}
      <xy-wall .house=${this.street} .arrangement=${this.chosen} @keys=${this.onKeys}>
        <button
          slot="tools"
          aria-expanded=${this.tree}
          title=${t("tree.open")}
          aria-label=${t("tree.open")}
          @click=${() => this.showTree(!this.tree)}
        >
          ${icon("tree")}
        </button>
        ${start.side_by_side
          ? html`<button
              slot="tools"
              title=${t("together.open")}
              aria-label=${t("together.open")}
              @click=${() => this.compare(this.wall?.arranged.cells ?? [], this.street.clock.now())}
            >
              ${icon("together")}
            </button>`
          : nothing}
        <xy-layouts
          slot="tools"
          .address=${start.layouts}
          .chosen=${this.chosen}
          .shown=${() => this.wall?.arranged ?? { size: 4, cells: [] }}
          @choose=${(event: CustomEvent<SavedLayout | null>) => this.choose(event.detail)}
        ></xy-layouts>
        ${start.add
          ? html`<div slot="empty" class="empty">
              <p>${t("wall.emptyAdd")}</p>
              <a class="button primary" href=${start.add}>${icon("plus")} ${t("wall.add")}</a>
            </div>`
          : nothing}
      </xy-wall>
    </div>`;
  }

  private player(route: Route & { page: "camera" }) {
    return html`<xy-camera-page
      .house=${this.street}
      .camera=${route.camera}
      .atMs=${route.atMs}
      .selection=${route.selection}
      @keys=${this.onKeys}
    >
      ${this.keeper.needsPurpose.includes(route.camera) ? this.asking() : nothing} ${this.besides(route.camera)}
    </xy-camera-page>`;
  }

  private say(purpose: string): void {
    this.purpose = purpose;
    this.look("");
  }

  private get looked(): readonly string[] {
    const { route } = this;
    if (route.page === "camera") return [route.camera];
    return route.page === "together" ? route.cameras : [];
  }

  /** Tickets for what the address shows; `before`: the cameras it showed. */
  private look(before: string): void {
    const { looked } = this;
    if (looked.join() === before && this.hasUpdated) return;
    // The next time somebody looks back it is for something else.
    if (!looked.length) this.purpose = "";
    void this.keeper.want("player", looked.length ? { use: "past", cameras: looked, purpose: this.purpose } : null);
  }

  private readonly onRoute = (): void => {
    const before = this.looked.join();
    this.route = readRoute(location);
    this.look(before);
  };

  private choose(layout: SavedLayout | null): void {
    this.chosen = layout;
    this.street.choose(layout?.cells ?? null);
    void this.keeper.want("wall", layout ? { use: "live", cameras: layout.cells } : { use: "live" });
  }

  /** The cameras of a unit on the wall, until something else is chosen. */
  private showUnit(unit: OfUnit): void {
    const cells = unit.cameras.slice(0, MOST_ON_A_WALL);
    this.choose({ id: "", post: "", post_name: "", name: unit.name, size: layoutFor(cells.length), cells });
    if (matchMedia("(max-width: 640px)").matches) this.showTree(false);
  }

  private onPick(id: string): void {
    if (matchMedia("(max-width: 640px)").matches) this.showTree(false);
    if (this.street.camera(id)) this.wall?.enlarge(id);
    else go(cameraAddress(id, null)); // not on this wall
  }

  private showTree(open: boolean): void {
    this.tree = open;
    remember("tree", open);
  }

  private readonly onKeys = (): void => this.keys.show();

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey) return;
    if (event.composedPath()[0] instanceof HTMLInputElement) return;
    this.keys.show();
  };
}
