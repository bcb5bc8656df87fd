// How many keys one turn may look at: a txn, or a delete, is one turn, and others wait for it.

import { KvdError } from "../kv/errors.js";
import type { Counters } from "./counters.js";

export class VisitBudget {
  readonly #counters: Counters;
  readonly #max: number;
  readonly #end: number;

  constructor(counters: Counters, max: number) {
    this.#counters = counters;
    this.#max = max;
    this.#end = counters.entriesVisited + max;
  }

  get left(): number {
    return this.#end - this.#counters.entriesVisited;
  }

  /** Counts a key. @throws KvdError TOO_MANY_KEYS. */
  take(): void {
    if (this.left <= 0) throw this.exceeded();
    this.#counters.entriesVisited += 1;
  }

  exceeded(): KvdError {
    const text = `it would look at more than ${this.#max} keys in one go (--turn-max-visits)`;
    return new KvdError("TOO_MANY_KEYS", `${text}: ask for less, or outside a txn, in pages`);
  }
}
