// What random requests are made of: few keys and leases, so that they meet; bytes at the edges;
// revisions that are there, that were, that come, and that cannot be.

import type { SeededRandom } from "../seeded-random.js";

/** What the judge has learned from the answers so far. */
export interface Known {
  readonly revision: number;
  readonly compactRevision: number;
  /** Watches of the stream that are open. */
  readonly watchIds: readonly bigint[];
}

export interface KeyRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

const KEYS = ["00", "61", "6100", "612f", "612f62", "612f62ff", "612fff", "62", "ff", "ffff"];
const VALUES = ["", "78", "79", "7979", "00ff", "7a".repeat(40)];
const LEASES = [7n, -8n, 9n, 1n << 62n, -(1n << 63n)];
const MAX_INT64 = (1n << 63n) - 1n;
const NOTHING = new Uint8Array(0);
const ZERO = bytes("00");

export class Choices {
  readonly random: SeededRandom;
  readonly known: Known;

  constructor(random: SeededRandom, known: Known) {
    this.random = random;
    this.known = known;
  }

  oneIn(count: number): boolean {
    return this.random.below(count) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return this.random.pick(choices);
  }

  /** One of them, by weight. */
  weighted<T>(choices: readonly (readonly [weight: number, make: () => T])[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.random.below(total);
    for (const [weight, make] of choices) {
      left -= weight;
      if (left < 0) return make();
    }
    throw new Error("no choice");
  }

  /** So many, and each made anew. */
  list<T>(maxCount: number, make: () => T): T[] {
    return Array.from({ length: this.random.below(maxCount + 1) }, make);
  }

  /** Seldom none, which most requests may not have. */
  key(): Uint8Array {
    return this.oneIn(80) ? NOTHING : this.#someKey();
  }

  #someKey(): Uint8Array {
    return bytes(this.pick(KEYS));
  }

  /** One key, or a range of every form: of a prefix, without an end, empty, turned round. */
  range(): KeyRange {
    const key = this.key();
    const rangeEnd = this.weighted([
      [4, () => NOTHING],
      [2, () => ZERO],
      [3, () => prefixEnd(key)],
      [3, () => this.#someKey()],
    ]);
    return { key, rangeEnd };
  }

  everything(): KeyRange {
    return { key: ZERO, rangeEnd: ZERO };
  }

  value(): Uint8Array {
    return bytes(this.pick(VALUES));
  }

  /** One that may be granted, or not. */
  lease(): bigint {
    return this.pick(LEASES);
  }

  /**
   * Of the store: around the compact and the newest one, between them, and what cannot be. Not -1,
   * which in a txn of etcd 3.4 means now until the first compaction, and then what is compacted.
   */
  revision(): bigint {
    const { revision, compactRevision } = this.known;
    const kept = Math.max(1, revision - compactRevision);
    return this.weighted([
      [6, () => BigInt(revision - this.random.below(Math.min(kept, 30)))],
      [3, () => BigInt(compactRevision + this.random.below(kept))],
      [1, () => BigInt(revision)],
      [2, () => BigInt(compactRevision)],
      [2, () => BigInt(this.random.below(compactRevision + 1))],
      [1, () => BigInt(revision + 1 + this.random.below(5))],
      [1, () => this.pick([-2n, MAX_INT64, -MAX_INT64 - 1n])],
    ]);
  }

  /** For fields where 0 means none. */
  numberOrNone(make: () => bigint): bigint {
    return this.oneIn(3) ? make() : 0n;
  }

  limit(): bigint {
    return this.pick([0n, 0n, 1n, 2n, 3n, 10n, -1n, MAX_INT64]);
  }
}

export function bytes(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

/** The end of the range of all keys that begin with this one, as clients make it. */
export function prefixEnd(key: Uint8Array): Uint8Array {
  const end = Buffer.from(key);
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] as number;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.subarray(0, at + 1);
    }
  }
  return ZERO;
}
