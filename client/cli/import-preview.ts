// What an import would do, against the store as it is now: compares, and writes nothing.

import type { BatchOperation, Entry, Kvd } from "../index.js";
import type { NumberedPut } from "./batch-sender.js";

export interface Preview {
  added: number;
  updated: number;
  /** The same value, and no ttl to set. */
  unchanged: number;
}

const BATCH_OPERATIONS = 500;

export class Previewer {
  readonly preview: Preview = { added: 0, updated: 0, unchanged: 0 };
  readonly #kv: Kvd;
  readonly #signal: AbortSignal;
  #puts: NumberedPut[] = [];

  constructor(kv: Kvd, signal: AbortSignal) {
    this.#kv = kv;
    this.#signal = signal;
  }

  async add(put: NumberedPut): Promise<void> {
    this.#puts.push(put);
    if (this.#puts.length >= BATCH_OPERATIONS) await this.finish();
  }

  /** Looks up the rest. */
  async finish(): Promise<void> {
    const puts = this.#puts;
    this.#puts = [];
    if (puts.length === 0) return;
    const gets = puts.map(({ operation }): BatchOperation => {
      return { kind: "get", key: operation.key, options: {} };
    });
    const { results } = await this.#kv.batch(gets, { signal: this.#signal });
    for (const [index, put] of puts.entries()) {
      const result = results[index];
      // A value that did not fit into the answer of the batch is read alone.
      const entry =
        result?.kind === "get"
          ? result.entry
          : await this.#kv.get(put.operation.key, { signal: this.#signal });
      this.preview[outcome(put, entry)] += 1;
    }
  }
}

function outcome({ operation }: NumberedPut, entry: Entry | undefined): keyof Preview {
  if (entry === undefined) return "added";
  const leased = operation.options.ttl !== undefined || entry.leaseId !== 0n;
  const value = Buffer.from(operation.value as Uint8Array);
  return !leased && value.equals(entry.bytes) ? "unchanged" : "updated";
}
