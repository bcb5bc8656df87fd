// Sends puts in batches, a few at a time, while the puts of one key stay in their order.
//
// Batches that are on their way may overtake each other, so one that has a key of another that is
// not answered yet waits for that. What a batch as a whole is refused for (its size) is answered by
// halving it: nothing of it was applied.

import type { BatchOperation, BatchResultItem, Kvd } from "../index.js";
import { isClientError } from "./error-text.js";

export interface NumberedPut {
  readonly operation: BatchOperation & { readonly kind: "put" };
  /** The key, byte for byte, as latin1 text. */
  readonly key: string;
  readonly bytes: number;
  /** The line that it came from. */
  readonly line: number;
}

export interface SenderOptions {
  readonly signal: AbortSignal;
  readonly maxOperations: number;
  readonly maxBytes: number;
  readonly maxInFlight: number;
  /** What became of a line. */
  answered(put: NumberedPut, result: BatchResultItem): void;
}

export class BatchSender {
  readonly #kv: Pick<Kvd, "batch">;
  readonly #options: SenderOptions;
  #puts: NumberedPut[] = [];
  #bytes = 0;
  readonly #inFlight = new Map<Promise<void>, ReadonlySet<string>>();
  #error: unknown;

  constructor(kv: Pick<Kvd, "batch">, options: SenderOptions) {
    this.#kv = kv;
    this.#options = options;
  }

  /** Takes a put; waits while enough are on their way. @throws what a batch was refused for. */
  async add(put: NumberedPut): Promise<void> {
    const { maxBytes, maxOperations } = this.#options;
    if (this.#puts.length > 0 && this.#bytes + put.bytes > maxBytes) await this.#dispatch();
    this.#puts.push(put);
    this.#bytes += put.bytes;
    if (this.#puts.length >= maxOperations) await this.#dispatch();
  }

  /** Sends the rest and waits for all answers. @throws as add(). */
  async finish(): Promise<void> {
    await this.#dispatch();
    await this.settle();
    this.#check();
  }

  /** Waits for what is on its way. */
  async settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight.keys());
  }

  async #dispatch(): Promise<void> {
    const puts = this.#puts;
    if (puts.length === 0) return;
    this.#puts = [];
    this.#bytes = 0;
    const keys = new Set(puts.map(({ key }) => key));
    for (const [sent, theirs] of this.#inFlight) if (!disjoint(keys, theirs)) await sent;
    while (this.#inFlight.size >= this.#options.maxInFlight) {
      await Promise.race(this.#inFlight.keys());
    }
    this.#check();
    const sent = this.#send(puts).catch((error) => {
      this.#error ??= error;
    });
    this.#inFlight.set(sent, keys);
    void sent.then(() => this.#inFlight.delete(sent));
  }

  #check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  async #send(puts: readonly NumberedPut[]): Promise<void> {
    const operations = puts.map(({ operation }) => operation);
    try {
      const { results } = await this.#kv.batch(operations, { signal: this.#options.signal });
      for (const [index, put] of puts.entries()) {
        const result = results[index];
        if (result !== undefined) this.#options.answered(put, result);
      }
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const [only] = puts;
      if (puts.length === 1 && only !== undefined) {
        const { message } = error as Error;
        const reason = "REQUEST_TOO_LARGE";
        this.#options.answered(only, { kind: "failure", reason, message, modRevision: 0 });
        return;
      }
      const half = Math.ceil(puts.length / 2);
      await this.#send(puts.slice(0, half));
      await this.#send(puts.slice(half));
    }
  }
}

/** The transport's own limit on messages answers without a reason. */
function isTooLarge(error: unknown): boolean {
  if (!isClientError(error)) return false;
  if (error.reason === undefined) return error.code === "RESOURCE_EXHAUSTED";
  return error.reason === "TOO_MANY_OPERATIONS" || error.reason === "REQUEST_TOO_LARGE";
}

function disjoint(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  for (const key of one) if (other.has(key)) return false;
  return true;
}
