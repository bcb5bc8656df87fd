// A backend that refuses records, makes them durable, or forgets those that are not, when a test
// says so.

import { KvdError } from "../../server/kv/errors.js";
import type { Backend, BackendListener, LogRecord, Position } from "../../server/store/backend.js";

export class WaveringBackend implements Backend {
  refuses = false;
  durablePosition: Position = 0;
  #position: Position = 0;
  #listener: BackendListener | undefined;
  #waiting: { readonly resolve: () => void; readonly reject: (error: KvdError) => void }[] = [];

  /** All that was appended is durable. */
  keep(): void {
    if (this.durablePosition === this.#position) return;
    this.durablePosition = this.#position;
    this.#listener?.durable();
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** What is not durable never was. */
  forget(): void {
    this.#position = this.durablePosition;
    this.#listener?.truncated();
    for (const { reject } of this.#waiting.splice(0)) reject(refusal());
  }

  reserve(_record: LogRecord): void {
    if (this.refuses) throw refusal();
  }

  append(_record: LogRecord): Position {
    this.#position += 1;
    return this.#position;
  }

  durable(position: Position): Promise<void> {
    if (position <= this.durablePosition) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  listen(listener: BackendListener): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.keep();
  }
}

function refusal(): KvdError {
  return new KvdError("NO_SPACE", "the test refuses it");
}
