// What an import would do, against the store as it is now: compares, and writes nothing. What the
// server would refuse for its size or its ttl is told as the import would.

import type { BatchOperation, Entry, Kvd, Status } from "../index.js";
import type { NumberedPut } from "./batch-sender.js";

export interface Preview {
  added: number;
  updated: number;
  /** The same value, and no ttl to set. */
  unchanged: number;
}

export interface PreviewOptions {
  readonly signal: AbortSignal;
  /** The limits in force. */
  readonly limits: Status["limits"];
  /** A line that would not be written, and why. */
  refused(put: NumberedPut, why: string): void;
}

const BATCH_OPERATIONS = 500;

/** Of the contract; there is no flag for it. */
const TTL_MAX_MS = 10 * 365 * 86_400_000;

export class Previewer {
  readonly preview: Preview = { added: 0, updated: 0, unchanged: 0 };
  readonly #kv: Kvd;
  readonly #options: PreviewOptions;
  readonly #valueMaxBytes: number;
  #puts: NumberedPut[] = [];

  constructor(kv: Kvd, options: PreviewOptions) {
    this.#kv = kv;
    this.#options = options;
    const limit = options.limits.find(({ flag }) => flag === "--value-max-bytes");
    this.#valueMaxBytes = limit?.value ?? Number.POSITIVE_INFINITY;
  }

  async add(put: NumberedPut): Promise<void> {
    const why = this.#refusal(put);
    if (why === undefined) this.#puts.push(put);
    else this.#options.refused(put, why);
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
    const { signal, refused } = this.#options;
    const { results } = await this.#kv.batch(gets, { signal });
    for (const [index, put] of puts.entries()) {
      const result = results[index];
      if (result?.kind === "failure" && result.reason !== "RESULT_TOO_LARGE") {
        refused(put, `${result.message} (${result.reason})`);
        continue;
      }
      // A value that did not fit into the answer of the batch is read alone.
      const entry =
        result?.kind === "get" ? result.entry : await this.#kv.get(put.operation.key, { signal });
      this.preview[outcome(put, entry)] += 1;
    }
  }

  #refusal({ operation }: NumberedPut): string | undefined {
    const { length } = operation.value as Uint8Array;
    if (length > this.#valueMaxBytes) {
      const limit = `${this.#valueMaxBytes} (--value-max-bytes)`;
      return `the value has ${length} bytes, more than ${limit} (VALUE_TOO_LARGE)`;
    }
    const { ttl } = operation.options;
    if (typeof ttl !== "number" || ttl <= TTL_MAX_MS) return undefined;
    return "the ttl is above 10 years (TTL_OUT_OF_RANGE)";
  }
}

function outcome({ operation }: NumberedPut, entry: Entry | undefined): keyof Preview {
  if (entry === undefined) return "added";
  const leased = operation.options.ttl !== undefined || entry.leaseId !== 0n;
  const value = Buffer.from(operation.value as Uint8Array);
  return !leased && value.equals(entry.bytes) ? "unchanged" : "updated";
}
