/** Tells its host when a full-screen page was left alone for a while: what is not picture may go. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

const IDLE_MS = 2500;

export class IdleController implements ReactiveController {
  isFull = false;
  idle = false;
  private timer = 0;

  constructor(private readonly host: ReactiveControllerHost & HTMLElement) {
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener("fullscreenchange", this.onFull);
    this.host.addEventListener("pointermove", this.awake);
    this.host.addEventListener("pointerdown", this.awake);
    this.host.addEventListener("focusin", this.awake);
    globalThis.addEventListener("keydown", this.awake);
  }

  hostDisconnected(): void {
    document.removeEventListener("fullscreenchange", this.onFull);
    this.host.removeEventListener("pointermove", this.awake);
    this.host.removeEventListener("pointerdown", this.awake);
    this.host.removeEventListener("focusin", this.awake);
    globalThis.removeEventListener("keydown", this.awake);
    clearTimeout(this.timer);
  }

  private readonly onFull = (): void => {
    this.isFull = document.fullscreenElement !== null;
    this.host.requestUpdate();
    this.awake();
  };

  private readonly awake = (): void => {
    clearTimeout(this.timer);
    if (this.idle) this.host.requestUpdate();
    this.idle = false;
    if (this.isFull) this.timer = setTimeout(() => this.sleep(), IDLE_MS);
  };

  private sleep(): void {
    this.idle = true;
    this.host.requestUpdate();
  }
}
