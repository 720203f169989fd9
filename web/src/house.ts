/** What every page needs: who is signed in, the cameras, the node's clock and the live connection. */

import { LiveSocket, liveAddress } from "./live/socket";
import { playableCodecs } from "./media/codecs";
import * as client from "./net/client";
import { ServerClock } from "./net/clock";
import { asProblem, type Problem } from "./net/problem";
import type { Action, Alarm, Camera, Session } from "./net/types";

const RETRY_MS = 3000;

export function inOrder(cameras: Iterable<Camera>): Camera[] {
  return [...cameras].sort((a, b) => a.order - b.order || a.name.localeCompare(b.name, "vi"));
}

/** Events: `cameras` (list, states or alarms changed), `session`. */
export class House extends EventTarget {
  readonly clock = new ServerClock();
  session: Session | null = null;
  cameras: Camera[] | null = null;
  /** What stands now; always none for those who are not in charge. */
  alarms: Alarm[] = [];
  problem: Problem | null = null;
  /** There was a session, and it came to its end. */
  expired = false;
  private socket: LiveSocket | null = null;
  private changes: EventSource | null = null;
  private timer = 0;

  /** The live connection is opened when the first picture needs it and kept from then on. */
  live(): LiveSocket {
    if (!this.socket) {
      this.socket = new LiveSocket(liveAddress(), this.clock, playableCodecs());
      this.socket.addEventListener("signed-out", () => void this.check());
    }
    return this.socket;
  }

  get liveDownSince(): number | null {
    return this.socket?.downSince ?? null;
  }

  may(action: Action): boolean {
    return this.session?.actions.includes(action) ?? false;
  }

  camera(id: string): Camera | null {
    return this.cameras?.find((camera) => camera.id === id) ?? null;
  }

  /** Asks who is signed in. True: somebody is; false: nobody; null: the node does not answer. */
  async check(): Promise<boolean | null> {
    try {
      this.session = await client.session();
      this.problem = null;
      this.dispatchEvent(new Event("session"));
      return true;
    } catch (reason) {
      const problem = asProblem(reason);
      if (problem.signedOut || problem.status === 403) {
        this.expired = problem.code === "ticket_expired" || problem.code === "ticket_revoked";
        this.leave();
        this.dispatchEvent(new Event("session"));
        return false;
      }
      this.problem = problem;
      this.dispatchEvent(new Event("session"));
      return null;
    }
  }

  async start(): Promise<void> {
    clearTimeout(this.timer);
    try {
      this.cameras = inOrder(await client.cameras());
      this.problem = null;
      this.listen();
    } catch (reason) {
      this.problem = asProblem(reason);
      if (this.problem.signedOut) {
        this.leave();
        this.dispatchEvent(new Event("session"));
        return;
      }
      this.timer = setTimeout(() => void this.start(), RETRY_MS);
    }
    this.dispatchEvent(new Event("cameras"));
  }

  /** Forgets everything of the session; the cookie is the node's business. */
  leave(): void {
    clearTimeout(this.timer);
    this.session = null;
    this.cameras = null;
    this.alarms = [];
    this.socket?.close();
    this.socket = null;
    this.changes?.close();
    this.changes = null;
  }

  private listen(): void {
    if (this.changes) return;
    const source = new EventSource(client.changesAddress);
    this.changes = source;
    let opened = false;
    source.onopen = () => {
      // What changed while the line was down was not heard.
      if (opened) void this.refresh();
      opened = true;
    };
    source.addEventListener("camera", (event: MessageEvent<string>) => this.onCamera(JSON.parse(event.data) as Camera));
    source.addEventListener("removed", (event: MessageEvent<string>) => {
      const { id } = JSON.parse(event.data) as { id: string };
      this.cameras = (this.cameras ?? []).filter((camera) => camera.id !== id);
      this.dispatchEvent(new Event("cameras"));
    });
    source.addEventListener("alarms", (event: MessageEvent<string>) => {
      this.alarms = (JSON.parse(event.data) as { alarms: Alarm[] }).alarms;
      this.dispatchEvent(new Event("cameras"));
    });
    source.onerror = () => {
      // A refused stream is not tried again by the browser.
      if (source.readyState !== EventSource.CLOSED || source !== this.changes) return;
      this.changes = null;
      this.timer = setTimeout(() => void this.resume(), RETRY_MS);
    };
  }

  private async resume(): Promise<void> {
    const who = await this.check();
    if (who === true) await this.start();
    else if (who === null) this.timer = setTimeout(() => void this.resume(), RETRY_MS);
  }

  private async refresh(): Promise<void> {
    try {
      this.cameras = inOrder(await client.cameras());
      this.dispatchEvent(new Event("cameras"));
    } catch (reason) {
      this.problem = asProblem(reason);
      if (this.problem.signedOut) await this.check();
    }
  }

  private onCamera(camera: Camera): void {
    const others = (this.cameras ?? []).filter((other) => other.id !== camera.id);
    this.cameras = inOrder([...others, camera]);
    this.dispatchEvent(new Event("cameras"));
  }
}
