// Things that are due a fixed time after they began, where there is one for each call: without a
// map that grows and shrinks with every call, as a DueList has one.
//
// An item is a link of the line itself, so beginning and leaving touch its neighbours alone; it
// stands in one line at a time. One timer is for all: the item that began first is due first.

import type { Clock, Timer } from "./clock.js";

export abstract class DueLink<T extends DueLink<T>> {
  /** These are the line's. */
  line: DueLine<T> | undefined = undefined;
  sinceMs = 0;
  before: T | undefined = undefined;
  after: T | undefined = undefined;
}

export class DueLine<T extends DueLink<T>> {
  readonly #maxMs: number;
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: {
    readonly maxMs: number;
    readonly clock: Clock;
    /** The item is not in the line any more. */
    readonly onDue: (item: T) => void;
  }) {
    this.#maxMs = options.maxMs;
    this.#clock = options.clock;
    this.#onDue = options.onDue;
  }

  get size(): number {
    return this.#size;
  }

  /** Its time begins now; it leaves the line in which it stood. */
  begin(item: T): void {
    item.line?.delete(item);
    item.line = this;
    item.sinceMs = this.#clock.monotonicMs();
    item.before = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.after = item;
    this.#last = item;
    this.#size += 1;
    if (this.#timer === undefined && !this.#closed) this.#arm(this.#maxMs);
  }

  /** Does nothing when it stands elsewhere. */
  delete(item: T): void {
    if (item.line !== this) return;
    const { before, after } = item;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    item.line = undefined;
    item.before = undefined;
    item.after = undefined;
    this.#size -= 1;
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
    for (let item = this.#first; item !== undefined; item = item.after) {
      if (item.sinceMs > begunBeforeMs) {
        this.#arm(item.sinceMs - begunBeforeMs);
        break;
      }
      due.push(item);
    }
    for (const item of due) {
      if (item.line !== this) continue;
      this.delete(item);
      this.#onDue(item);
    }
  }
}
