/** The application: session, address, and the page that belongs to both. */

import { css, html, LitElement, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import emblem from "./favicon.svg";
import { House } from "./house";
import "./pages/camera";
import "./pages/signin";
import "./pages/wall";
import "./parts/keys";
import "./parts/notice";
import type { KeysElement } from "./parts/keys";
import { controls } from "./parts/styles";
import { go, readRoute, type Route } from "./route";
import { LanguageController, problemText, t } from "./words";

const RETRY_MS = 3000;
const AFTER_SIGN_IN = "xomyen.after-sign-in";

@customElement("xy-app")
export class AppElement extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        height: 100dvh;
      }
      .middle {
        height: 100%;
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 16px;
        padding: 16px;
        text-align: center;
      }
      .mark {
        width: 48px;
        height: 48px;
      }
    `,
  ];

  @state() private route: Route = readRoute(location);
  @state() private who: boolean | null | undefined;
  @state() private ended: "ended" | "out" | null = null;
  @query("xy-keys") private keys!: KeysElement;
  private readonly house = new House();
  private timer = 0;

  constructor() {
    super();
    new LanguageController(this);
    globalThis.addEventListener("xy-route", this.onRoute);
    globalThis.addEventListener("popstate", this.onRoute);
    globalThis.addEventListener("keydown", this.onKey);
    this.house.addEventListener("session", () => this.onSession());
  }

  override firstUpdated(): void {
    if (this.route.page !== "signin") void this.enter();
    else if (this.route.code === null) void this.enterQuietly();
  }

  override render() {
    const { route } = this;
    document.title = `${this.titleOf(route)} · ${t("app.name")}`;
    return html`${this.page(route)}<xy-keys></xy-keys><xy-notice></xy-notice>`;
  }

  private titleOf(route: Route): string {
    if (route.page === "signin" || this.who === false) return t("signin.title");
    if (route.page === "camera") return this.house.camera(route.camera)?.name ?? t("player.title");
    return t("wall.title");
  }

  private page(route: Route) {
    if (route.page === "signin" || this.who === false) {
      return html`<xy-signin
        .client=${this.house.client}
        .code=${route.page === "signin" ? route.code : null}
        .why=${this.ended}
        @signed-in=${this.onSignedIn}
      ></xy-signin>`;
    }
    if (this.who === undefined) return nothing;
    if (this.who === null && !this.house.cameras) return this.waiting();
    if (route.page === "camera") {
      return html`<xy-camera-page
        .house=${this.house}
        .camera=${route.camera}
        .atMs=${route.atMs}
        .selection=${route.selection}
        @sign-out=${this.onSignOut}
        @keys=${this.onKeys}
      ></xy-camera-page>`;
    }
    return html`<xy-wall .house=${this.house} @sign-out=${this.onSignOut} @keys=${this.onKeys}></xy-wall>`;
  }

  private waiting() {
    return html`<main class="middle" role="status">
      <img class="mark" src=${emblem} alt="" />
      <p>${this.house.problem ? problemText(this.house.problem) : ""}</p>
    </main>`;
  }

  /** Who is signed in? Until the node answers, ask again by ourselves. */
  private async enter(): Promise<void> {
    clearTimeout(this.timer);
    this.who = (await this.house.check()) ?? null;
    if (this.who) await this.house.start();
    if (this.who === null) this.timer = setTimeout(() => void this.enter(), RETRY_MS);
  }

  /** On the sign-in page without a code: a session that is there already leads on. */
  private async enterQuietly(): Promise<void> {
    if (await this.house.check()) await this.onSignedIn();
  }

  private readonly onSignedIn = async (): Promise<void> => {
    this.ended = null;
    let after = "/live";
    try {
      after = sessionStorage.getItem(AFTER_SIGN_IN) ?? after;
      sessionStorage.removeItem(AFTER_SIGN_IN);
    } catch {
      // Without storage the wall comes first.
    }
    this.who = undefined;
    go(after, true);
    await this.enter();
  };

  private onSession(): void {
    if (this.house.session || this.house.problem) return;
    if (this.who || this.house.expired) this.ended ??= "ended";
    try {
      if (this.route.page === "camera") sessionStorage.setItem(AFTER_SIGN_IN, location.pathname + location.search);
    } catch {
      // The link is lost; the wall comes first.
    }
    this.who = false;
  }

  private readonly onSignOut = async (): Promise<void> => {
    this.ended = "out";
    this.house.leave();
    this.who = false;
    await this.house.client.signOut().catch(() => undefined);
  };

  private readonly onRoute = (): void => {
    this.route = readRoute(location);
    if (this.route.page === "signin" && this.route.code === null && this.who) go("/live", true);
  };

  private readonly onKeys = (): void => this.keys.show();

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || !this.who) return;
    if (event.composedPath()[0] instanceof HTMLInputElement) return;
    this.keys.show();
  };
}
