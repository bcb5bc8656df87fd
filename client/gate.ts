// Counts what is in flight on a connection, and shuts it: nothing new comes in, what is in may end.
// It knows nothing of what passes through.

import { KvdClientError } from "./errors.js";

/** What a call on a closed connection rejects with. */
export function closedError(): KvdClientError {
  return new KvdClientError("CANCELLED", "the client is closed: close() was called on it");
}

export class Gate {
  #inside = 0;
  #closed = false;
  #emptied: (() => void) | undefined;

  get closed(): boolean {
    return this.#closed;
  }

  get empty(): boolean {
    return this.#inside === 0;
  }

  /** Each must be followed by one leave(). @throws KvdClientError CANCELLED once closed. */
  enter(): void {
    if (this.#closed) throw closedError();
    this.#inside += 1;
  }

  leave(): void {
    this.#inside -= 1;
    if (this.#inside === 0) this.#emptied?.();
  }

  /** Resolves when nothing is inside any more. Once only. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#inside === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }
}
