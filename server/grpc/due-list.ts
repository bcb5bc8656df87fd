// Things that are due a fixed time after they began, with one timer for all: the one that began
// first is due first.

import type { Clock, Timer } from "../lib/clock.js";

export class DueList<T extends object> {
  readonly #maxMs: number;
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  /** When each began; in that order. */
  readonly #items = new Map<T, number>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: {
    readonly maxMs: number;
    readonly clock: Clock;
    /** The item is not in the list any more. */
    readonly onDue: (item: T) => void;
  }) {
    this.#maxMs = options.maxMs;
    this.#clock = options.clock;
    this.#onDue = options.onDue;
  }

  get size(): number {
    return this.#items.size;
  }

  has(item: T): boolean {
    return this.#items.has(item);
  }

  /** Its time begins now. */
  begin(item: T): void {
    this.#items.delete(item);
    this.#items.set(item, this.#clock.monotonicMs());
    if (this.#timer === undefined && !this.#closed) this.#arm(this.#maxMs);
  }

  delete(item: T): void {
    this.#items.delete(item);
  }

  /** Nothing is due any more. */
  close(): void {
    this.#timer?.cancel();
    this.#closed = true;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#timer = undefined;
    const begunBeforeMs = this.#clock.monotonicMs() - this.#maxMs;
    const due: T[] = [];
    for (const [item, sinceMs] of this.#items) {
      if (sinceMs > begunBeforeMs) {
        this.#arm(sinceMs - begunBeforeMs);
        break;
      }
      due.push(item);
    }
    for (const item of due) {
      this.#items.delete(item);
      this.#onDue(item);
    }
  }
}
