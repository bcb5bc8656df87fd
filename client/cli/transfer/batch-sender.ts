// Gathers puts into batches and hands them on, a few at a time, while the puts of one key stay in
// their order.
//
// A batch never has a key twice. Those that are on their way may overtake each other, so one that
// has a key of another that is not done yet waits for that.

import type { BatchOperation } from "../../index.js";
import type { Row } from "../json-forms.js";

export interface PlacedPut {
  readonly operation: BatchOperation & { readonly kind: "put" };
  /** The key, byte for byte, as latin1 text. */
  readonly key: string;
  readonly bytes: number;
  /** Where it came from, as people find it. */
  readonly place: string;
}

const TTL_MIN_MS = 1_000;

/** What a put takes on the wire besides its key and value, at most. */
const PUT_OVERHEAD_BYTES = 64;

export function putFromRow({ key, value, ttlMs }: Row, place: string): PlacedPut {
  const options = ttlMs === undefined ? {} : { ttl: Math.max(TTL_MIN_MS, ttlMs) };
  return {
    operation: { kind: "put", key, value, options },
    key: Buffer.from(key).toString("latin1"),
    bytes: key.length + value.length + PUT_OVERHEAD_BYTES,
    place,
  };
}

export interface SenderOptions {
  readonly maxOperations: number;
  readonly maxBytes: number;
  readonly maxInFlight: number;
  /** Settles when a batch is done with. */
  send(puts: readonly PlacedPut[]): Promise<void>;
}

export class BatchSender {
  readonly #options: SenderOptions;
  #puts: PlacedPut[] = [];
  #keys = new Set<string>();
  #bytes = 0;
  readonly #inFlight = new Map<Promise<void>, ReadonlySet<string>>();
  #error: unknown;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Takes a put; waits while enough are on their way. @throws what a batch failed with. */
  async add(put: PlacedPut): Promise<void> {
    const { maxBytes, maxOperations } = this.#options;
    const full = this.#puts.length > 0 && this.#bytes + put.bytes > maxBytes;
    if (full || this.#keys.has(put.key)) await this.#dispatch();
    this.#puts.push(put);
    this.#keys.add(put.key);
    this.#bytes += put.bytes;
    if (this.#puts.length >= maxOperations) await this.#dispatch();
  }

  /** Sends the rest and waits until all are done with. @throws as add(). */
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
    const [puts, keys] = [this.#puts, this.#keys];
    if (puts.length === 0) return;
    this.#puts = [];
    this.#keys = new Set();
    this.#bytes = 0;
    for (const [sent, theirs] of this.#inFlight) if (!disjoint(keys, theirs)) await sent;
    while (this.#inFlight.size >= this.#options.maxInFlight) {
      await Promise.race(this.#inFlight.keys());
    }
    this.#check();
    const sent = this.#options.send(puts).catch((error) => {
      this.#error ??= error;
    });
    this.#inFlight.set(sent, keys);
    void sent.then(() => this.#inFlight.delete(sent));
  }

  #check(): void {
    if (this.#error !== undefined) throw this.#error;
  }
}

function disjoint(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  for (const key of one) if (other.has(key)) return false;
  return true;
}
