/** One WebSocket for all live pictures of a page; it reconnects by itself and asks again for every view. */

import type { Note } from "../net/client";
import type { ServerClock } from "../net/clock";
import type { StreamName } from "../net/types";
import { type Frame, readFrame } from "./frame";

export interface InitMessage {
  type: "init";
  view: number;
  stream: StreamName;
  mime: string;
  note: Note | null;
  width: number;
  height: number;
}

export interface StateMessage {
  type: "state";
  view: number;
  state: "live" | "lost" | "connecting" | "refused";
  reason: string | null;
  detail: string | null;
  since: string | null;
}

export interface LiveListener {
  onInit(message: InitMessage): void;
  onFrame(frame: Frame): void;
  onState(message: StateMessage): void;
  onSkip(): void;
}

export interface LiveWatch {
  leave(): void;
}

interface View {
  camera: string;
  stream: StreamName;
  listener: LiveListener;
}

type Text =
  | InitMessage
  | StateMessage
  | { type: "ready"; now: string }
  | { type: "time"; now: string }
  | { type: "skip"; view: number };

/** The node says the time every 2 s; a longer silence means a dead connection. */
const SILENCE_MS = 7000;
const BACKOFF_MS = [300, 600, 1200, 2400, 4800, 8000];

/** Events: `up`, `down`, `signed-out`. */
export class LiveSocket extends EventTarget {
  private socket: WebSocket | null = null;
  private ready = false;
  private views = new Map<number, View>();
  private nextView = 1;
  private failures = 0;
  private timer = 0;
  private watchdog = 0;
  private lastMessage = 0;
  private closed = false;
  /** Since when nothing can be received (node's clock); null while connected. */
  downSince: number | null;

  constructor(
    private readonly address: string,
    private readonly clock: ServerClock,
    private readonly codecs: readonly string[],
    /** What to show at the door; null where a cookie counts. */
    private readonly ticket: () => string | null,
  ) {
    super();
    this.downSince = clock.now();
    this.connect();
    globalThis.addEventListener("online", this.reconnectNow);
    this.watchdog = setInterval(() => this.look(), 1000);
  }

  watch(camera: string, stream: StreamName, listener: LiveListener): LiveWatch {
    while (this.views.has(this.nextView)) this.nextView = (this.nextView % 65535) + 1;
    const view = this.nextView;
    this.nextView = (this.nextView % 65535) + 1;
    this.views.set(view, { camera, stream, listener });
    this.ask(view);
    return {
      leave: () => {
        if (this.views.delete(view)) this.send({ type: "leave", view });
      },
    };
  }

  /** Goes on with the newest ticket, before the one that it began with ends. */
  renew(): void {
    const ticket = this.ticket();
    if (ticket !== null) this.send({ type: "ticket", ticket });
  }

  close(): void {
    this.closed = true;
    globalThis.removeEventListener("online", this.reconnectNow);
    clearTimeout(this.timer);
    clearInterval(this.watchdog);
    this.socket?.close();
    this.socket = null;
  }

  private connect(): void {
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.ready = false;
    this.lastMessage = performance.now();
    socket.onopen = () => {
      const ticket = this.ticket();
      socket.send(JSON.stringify(ticket === null ? { type: "hello" } : { type: "hello", ticket }));
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (socket !== this.socket) return;
      this.lastMessage = performance.now();
      if (typeof event.data === "string") this.onText(event.data);
      else this.onBinary(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.onDown(event.code);
    };
  }

  private readonly reconnectNow = (): void => {
    if (this.ready || this.closed) return;
    this.failures = 0;
    this.retire();
    this.connect();
  };

  /** Lets go of the present socket without hearing from it again. */
  private retire(): void {
    clearTimeout(this.timer);
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  private look(): void {
    if (this.socket && performance.now() - this.lastMessage > SILENCE_MS) {
      this.retire();
      this.onDown(0);
    }
  }

  private onDown(code: number): void {
    this.socket = null;
    this.ready = false;
    if (this.downSince === null) {
      this.downSince = this.clock.now();
      this.dispatchEvent(new Event("down"));
    }
    if (this.closed) return;
    if (code === 4401 || code === 4403) this.dispatchEvent(new Event("signed-out"));
    const wait = BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)] ?? 8000;
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), wait * (0.7 + 0.6 * Math.random()));
  }

  private onText(text: string): void {
    const message = JSON.parse(text) as Text;
    if (message.type === "ready" || message.type === "time") {
      this.clock.reading(Date.parse(message.now));
      if (message.type === "ready") this.onReady();
      return;
    }
    const listener = this.views.get(message.view)?.listener;
    if (!listener) return;
    if (message.type === "init") listener.onInit(message);
    else if (message.type === "state") listener.onState(message);
    else listener.onSkip();
  }

  private onReady(): void {
    this.ready = true;
    this.failures = 0;
    this.downSince = null;
    for (const view of this.views.keys()) this.ask(view);
    this.dispatchEvent(new Event("up"));
  }

  private onBinary(data: ArrayBuffer): void {
    const frame = readFrame(data);
    if (frame) this.views.get(frame.view)?.listener.onFrame(frame);
  }

  private ask(view: number): void {
    const wanted = this.views.get(view);
    if (!wanted) return;
    this.send({ type: "watch", view, camera: wanted.camera, stream: wanted.stream, codecs: this.codecs });
  }

  private send(message: object): void {
    if (this.ready && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
