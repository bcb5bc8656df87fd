// What writing rows would change, against the store as it is now. What the server would refuse for
// its size or its ttl is told without asking it to write.

import type { BatchOperation, Entry, Kvd, Status } from "../../index.js";
import { isTooLarge } from "./atomic-batch.js";
import type { PlacedPut } from "./batch-sender.js";

export type Outcome = "added" | "updated" | "unchanged";

export type Comparison =
  | { readonly kind: Outcome; readonly modRevision: number }
  | { readonly kind: "refused"; readonly why: string };

export interface ComparerOptions {
  readonly signal: AbortSignal;
  /** The limits in force. */
  readonly limits: Status["limits"];
  /** A row with a ttl, whose key has a lease and the same value: is it written for its ttl? */
  readonly renewsTtl: boolean;
}

/** Of the contract; there is no flag for it. */
const TTL_MAX_MS = 10 * 365 * 86_400_000;

export class Comparer {
  readonly #kv: Pick<Kvd, "batch" | "get">;
  readonly #options: ComparerOptions;
  readonly #valueMaxBytes: number;

  constructor(kv: Pick<Kvd, "batch" | "get">, options: ComparerOptions) {
    this.#kv = kv;
    this.#options = options;
    const limit = options.limits.find(({ flag }) => flag === "--value-max-bytes");
    this.#valueMaxBytes = limit?.value ?? Number.POSITIVE_INFINITY;
  }

  /** One for each, in order. */
  async compare(puts: readonly PlacedPut[]): Promise<Comparison[]> {
    const refusals = puts.map((put) => this.#refusal(put));
    const asked = puts.filter((_, index) => refusals[index] === undefined);
    const found = (await this.#lookUp(asked)).values();
    return refusals.map((why) => {
      return why === undefined ? (found.next().value as Comparison) : { kind: "refused", why };
    });
  }

  /** In halves, where the server takes fewer at once. */
  async #lookUp(puts: readonly PlacedPut[]): Promise<Comparison[]> {
    if (puts.length === 0) return [];
    try {
      return await this.#ask(puts);
    } catch (error) {
      if (puts.length === 1 || !isTooLarge(error)) throw error;
    }
    const half = Math.ceil(puts.length / 2);
    const first = await this.#lookUp(puts.slice(0, half));
    return [...first, ...(await this.#lookUp(puts.slice(half)))];
  }

  async #ask(puts: readonly PlacedPut[]): Promise<Comparison[]> {
    const { signal } = this.#options;
    const gets = puts.map(({ operation }): BatchOperation => {
      return { kind: "get", key: operation.key, options: {} };
    });
    const { results } = await this.#kv.batch(gets, { signal });
    const comparisons: Comparison[] = [];
    for (const [index, put] of puts.entries()) {
      const result = results[index];
      if (result?.kind === "failure" && result.reason !== "RESULT_TOO_LARGE") {
        comparisons.push({ kind: "refused", why: `${result.message} (${result.reason})` });
        continue;
      }
      // A value that did not fit into the answer of the batch is read alone.
      const entry =
        result?.kind === "get" ? result.entry : await this.#kv.get(put.operation.key, { signal });
      comparisons.push({ kind: this.#outcome(put, entry), modRevision: entry?.modRevision ?? 0 });
    }
    return comparisons;
  }

  #outcome({ operation }: PlacedPut, entry: Entry | undefined): Outcome {
    if (entry === undefined) return "added";
    const wantsLease = operation.options.ttl !== undefined;
    const leased = entry.leaseId !== 0n;
    const sameLease = wantsLease === leased && !(wantsLease && this.#options.renewsTtl);
    const value = Buffer.from(operation.value as Uint8Array);
    return sameLease && value.equals(entry.bytes) ? "unchanged" : "updated";
  }

  #refusal({ operation }: PlacedPut): string | undefined {
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
