// The keys of a bench: under a prefix that nobody else has, written before, removed afterwards.
// Which key comes next is the matter of a seed, so that two runs do the same.

import { randomBytes } from "node:crypto";
import type { BatchOperation, Kvd } from "../../index.js";
import { isClientError } from "../error-text.js";
import type { Workload } from "./workload.js";

/** Above all prefixes, so that what a killed run left is found. */
export const BENCH_PREFIX = "kvctl-bench/";

/** Of as many keys the text is made once: it would be the most that a bench itself does. */
const KEPT_MAX = 100_000;

const FILL_MAX_BYTES = 1024 * 1024;
const FILL_MAX_OPERATIONS = 1_000;
const FILL_IN_FLIGHT = 4;
/** What one delete removes; a server may take fewer. */
const STEP_KEYS = 10_000;

export class KeySpace {
  readonly prefix = `${BENCH_PREFIX}${randomBytes(6).toString("hex")}/`;
  readonly value: Uint8Array;
  readonly #keys: number;
  readonly #kept: string[] = [];

  constructor({ keys, valueBytes, seed }: Pick<Workload, "keys" | "valueBytes" | "seed">) {
    this.#keys = keys;
    const random = randomFrom(seed);
    this.value = Uint8Array.from({ length: valueBytes }, () => random(256));
  }

  key(index: number): string {
    const kept = this.#kept[index];
    if (kept !== undefined) return kept;
    const key = `${this.prefix}${String(index).padStart(8, "0")}`;
    if (index < KEPT_MAX) this.#kept[index] = key;
    return key;
  }

  /** Keys in a random order that the seed repeats, another one for each client. */
  sequence(seed: number): () => string {
    const random = randomFrom(seed);
    return () => this.key(random(this.#keys));
  }

  /** Writes all keys, so that every get finds one. */
  async fill(
    kv: Pick<Kvd, "batch">,
    { signal, progress }: { signal: AbortSignal; progress: (keys: number) => void },
  ): Promise<void> {
    const bytes = this.value.length + this.prefix.length + 64;
    const step = Math.max(1, Math.min(FILL_MAX_OPERATIONS, Math.floor(FILL_MAX_BYTES / bytes)));
    let next = 0;
    let done = 0;
    const worker = async (): Promise<void> => {
      while (next < this.#keys && !signal.aborted) {
        const end = Math.min(this.#keys, next + step);
        const puts: BatchOperation[] = [];
        for (; next < end; next += 1) {
          puts.push({ kind: "put", key: this.key(next), value: this.value, options: {} });
        }
        const { results } = await kv.batch(puts, { signal });
        const failed = results.find((result) => result.kind === "failure");
        if (failed?.kind === "failure") throw new FillError(failed.reason, failed.message);
        done += puts.length;
        progress(done);
      }
    };
    await Promise.all(Array.from({ length: FILL_IN_FLIGHT }, worker));
  }

  /** Removes all keys under the prefix, in steps. Returns how many. */
  async clear(kv: Pick<Kvd, "delete">): Promise<number> {
    let deleted = 0;
    let limit = STEP_KEYS;
    for (;;) {
      try {
        const page = await kv.delete({ prefix: this.prefix }, { limit });
        deleted += page.deleted;
        if (!page.more) return deleted;
      } catch (error) {
        const tooMany = isClientError(error) && error.reason === "TOO_MANY_KEYS";
        if (!tooMany || limit === 1) throw error;
        limit = Math.ceil(limit / 2);
      }
    }
  }
}

/** The server takes no more keys: why, by its reason. */
export class FillError extends Error {
  override readonly name = "FillError";
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Whole numbers below a bound: xorshift over 32 bits, which a seed repeats. */
export function randomFrom(seed: number): (bound: number) => number {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32)) | 0 || 0x2545f491;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
}

/** Reads and writes evenly spread, in exactly their shares. */
export function mixOf({ reads, writes }: Pick<Workload, "reads" | "writes">): () => "get" | "put" {
  const all = reads + writes;
  let due = 0;
  return () => {
    due += reads;
    if (due < all) return "put";
    due -= all;
    return "get";
  };
}
