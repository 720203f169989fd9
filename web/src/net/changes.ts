/** What a node tells as it happens: server-sent events (HTML standard §9.2), asked for with a ticket where one is needed. */

import type { NodeClient } from "./client";
import { asProblem } from "./problem";

const AGAIN_MS = 1000;

export interface Listener {
  /** The line is open; `again`: it was before, and what happened meanwhile was not heard. */
  opened(again: boolean): void;
  told(event: string, data: string): void;
  /** The node does not want to tell; it is not asked again. */
  refused(): void;
}

/** Listens until it is closed; asks again by itself when the line breaks. */
export class Changes {
  private readonly abort = new AbortController();

  constructor(
    private readonly client: NodeClient,
    private readonly listener: Listener,
  ) {
    void this.listen();
  }

  close(): void {
    this.abort.abort();
  }

  private closed(): boolean {
    return this.abort.signal.aborted;
  }

  private async listen(): Promise<void> {
    let again = false;
    while (!this.closed()) {
      try {
        const response = await this.client.changes(this.abort.signal);
        this.listener.opened(again);
        again = true;
        if (response.body) await this.read(response.body);
      } catch (reason) {
        if (this.closed()) return;
        // A line that broke off half-way is no refusal.
        if (asProblem(reason).status !== 0) {
          this.listener.refused();
          return;
        }
      }
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) this.tell(block);
    }
  }

  private tell(block: string): void {
    if (this.closed()) return;
    let event = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (name === "event") event = value ?? "";
      else if (name === "data") data.push(value ?? "");
    }
    if (data.length) this.listener.told(event, data.join("\n"));
  }
}
