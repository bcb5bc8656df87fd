// A backend whose records become durable when a test says so.

import type { Backend, BackendListener, LogRecord, Position } from "../../server/store/backend.js";

export class HeldBackend implements Backend {
  readonly records: LogRecord[] = [];
  durablePosition: Position = 0;
  #held = false;
  #listener: BackendListener | undefined;
  readonly #waiting = new Set<{ readonly position: Position; readonly resolve: () => void }>();

  /** From here on nothing becomes durable before release(). */
  hold(): void {
    this.#held = true;
  }

  /** All that was appended is durable, and what follows becomes so at once. */
  release(): void {
    this.#held = false;
    this.#becomeDurable();
  }

  reserve(_record: LogRecord): void {}

  append(record: LogRecord): Position {
    this.records.push(record);
    const position = this.records.length;
    if (!this.#held) queueMicrotask(() => this.#held || this.#becomeDurable());
    return position;
  }

  durable(position: Position): Promise<void> {
    if (position <= this.durablePosition) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add({ position, resolve }));
  }

  listen(listener: BackendListener): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.release();
  }

  #becomeDurable(): void {
    if (this.durablePosition === this.records.length) return;
    this.durablePosition = this.records.length;
    this.#listener?.durable();
    for (const waiting of this.#waiting) {
      if (waiting.position > this.durablePosition) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}
