// The bytes that the answer of a txn or a batch may still take.

import { KvdError } from "../kv/errors.js";
import { type Entry, entryBytes } from "../kv/types.js";

/** What a result weighs besides its entries. */
export const RESULT_BYTES = 64;

export class ResultBudget {
  #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** What is left; below 0 once results without entries alone have used it up. */
  get left(): number {
    return this.#bytes;
  }

  /** Takes a result's own weight; it fails nothing. */
  takeResult(count = 1): void {
    this.#bytes -= count * RESULT_BYTES;
  }

  /** @throws KvdError RESULT_TOO_LARGE when the entry would not fit. Takes nothing. */
  refuse(entry: Entry | undefined): void {
    if (entry === undefined || entryBytes(entry) <= this.#bytes) return;
    throw resultTooLarge("the entry", this.#bytes);
  }

  /** @throws KvdError RESULT_TOO_LARGE when the entry does not fit. */
  takeEntry(entry: Entry | undefined): void {
    if (entry !== undefined) this.take(entryBytes(entry));
  }

  /** @throws KvdError RESULT_TOO_LARGE when the bytes, more than 0, do not fit. */
  take(bytes: number): void {
    if (bytes > 0 && bytes > this.#bytes) throw resultTooLarge("the result", this.#bytes);
    this.#bytes -= bytes;
  }
}

export function resultTooLarge(what: string, maxBytes: number): KvdError {
  const room = Math.max(0, maxBytes);
  const text = `${what} would not fit into the answer: ${room} bytes are left of its limit`;
  return new KvdError("RESULT_TOO_LARGE", `${text} (--response-max-bytes)`);
}
