/** What every page needs of a node: who is let in, the cameras, the node's clock and the live connection. */

import { LiveSocket } from "./live/socket";
import { playableCodecs } from "./media/codecs";
import { Changes } from "./net/changes";
import { type Door, NodeClient, OWN_DOOR } from "./net/client";
import { ServerClock } from "./net/clock";
import { asProblem, type Problem } from "./net/problem";
import type { Action, Alarm, Camera, Session } from "./net/types";

const RETRY_MS = 3000;

export function inOrder(cameras: Iterable<Camera>): Camera[] {
  return [...cameras].sort((a, b) => a.order - b.order || a.name.localeCompare(b.name, "vi"));
}

/** What pages look at: the cameras of one node, or of several. Events: `cameras` (list, states or alarms changed). */
export interface Watched extends EventTarget {
  readonly clock: { now(): number };
  readonly cameras: readonly Camera[] | null;
  readonly alarms: readonly Alarm[];
  readonly problem: Problem | null;
  /** Since when no live picture can come, of any node; null while one can. */
  readonly liveDownSince: number | null;
  /** Written over every picture: who looks. Empty on a node's own pages. */
  readonly viewer: string;
  /** These are the node's own pages: signing out and the language are theirs. */
  readonly own: boolean;
  camera(id: string): Camera | null;
  /** The node that has this camera; null when none has. */
  of(camera: string): House | null;
}

/** One node. Events: `cameras` (list, states or alarms changed), `session`. */
export class House extends EventTarget implements Watched {
  readonly clock = new ServerClock();
  readonly client: NodeClient;
  readonly own: boolean;
  session: Session | null = null;
  cameras: Camera[] | null = null;
  /** What stands now; always none for those who are not in charge. */
  alarms: Alarm[] = [];
  problem: Problem | null = null;
  /** Why the node lets nobody in with what is shown at its door. */
  refused: Problem | null = null;
  /** There was a session, and it came to its end. */
  expired = false;
  private socket: LiveSocket | null = null;
  private changes: Changes | null = null;
  private timer = 0;

  constructor(
    private readonly door: Door = OWN_DOOR,
    readonly viewer = "",
  ) {
    super();
    this.client = new NodeClient(door);
    this.own = door === OWN_DOOR;
  }

  /** The live connection is opened when the first picture needs it and kept from then on. */
  live(): LiveSocket {
    if (!this.socket) {
      this.socket = new LiveSocket(this.client.liveAddress, this.clock, playableCodecs(), () => this.door.ticket());
      this.socket.addEventListener("signed-out", () => void this.check());
    }
    return this.socket;
  }

  of(): this {
    return this;
  }

  /** The door has a new ticket: what is open goes on with it. `others`: it is for other cameras than before. */
  renewed(others: boolean): void {
    this.socket?.renew();
    if (!others) return;
    this.changes?.close();
    this.changes = null;
    void this.start();
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
      this.session = await this.client.session();
      this.problem = this.refused = null;
      this.dispatchEvent(new Event("session"));
      return true;
    } catch (reason) {
      const problem = asProblem(reason);
      if (problem.signedOut || problem.status === 403) {
        this.expired = problem.code === "ticket_expired" || problem.code === "ticket_revoked";
        this.leave();
        this.refused = problem;
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
      this.cameras = inOrder(await this.client.cameras());
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
    const changes: Changes = new Changes(this.client, {
      // What changed while the line was down was not heard.
      opened: (again) => again && void this.refresh(),
      told: (event, data) => this.onTold(event, data),
      refused: () => {
        if (changes !== this.changes) return;
        this.changes = null;
        this.timer = setTimeout(() => void this.resume(), RETRY_MS);
      },
    });
    this.changes = changes;
  }

  private onTold(event: string, data: string): void {
    if (event === "camera") this.onCamera(JSON.parse(data) as Camera);
    else if (event === "removed") {
      const { id } = JSON.parse(data) as { id: string };
      this.cameras = (this.cameras ?? []).filter((camera) => camera.id !== id);
      this.dispatchEvent(new Event("cameras"));
    } else if (event === "alarms") {
      this.alarms = (JSON.parse(data) as { alarms: Alarm[] }).alarms;
      this.dispatchEvent(new Event("cameras"));
    } else if (event === "signed_out") void this.check();
  }

  private async resume(): Promise<void> {
    const who = await this.check();
    if (who === true) await this.start();
    else if (who === null) this.timer = setTimeout(() => void this.resume(), RETRY_MS);
  }

  private async refresh(): Promise<void> {
    try {
      this.cameras = inOrder(await this.client.cameras());
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
