// How often keys under each prefix are written: keys are folded at a delimiter, to a depth.
//
// Memory is bounded: when there are too many prefixes, the half that is written least is dropped,
// and what is told from then on is approximate.

const PREFIXES_MAX = 100_000;

export interface WrittenPrefix {
  /** With its delimiter; a key that does not reach the depth is whole. */
  readonly prefix: Uint8Array;
  readonly puts: number;
  readonly deletes: number;
  /** Of keys and values that were put. */
  readonly bytes: number;
}

interface Counted {
  puts: number;
  deletes: number;
  bytes: number;
}

export class PrefixCounts {
  readonly #delimiter: Buffer;
  readonly #depth: number;
  readonly #max: number;
  /** By the bytes of the prefix, as latin1. */
  readonly #counts = new Map<string, Counted>();
  #approximate = false;

  constructor(options: {
    readonly delimiter: Uint8Array;
    readonly depth: number;
    readonly max?: number;
  }) {
    this.#delimiter = Buffer.from(options.delimiter);
    this.#depth = options.depth;
    this.#max = options.max ?? PREFIXES_MAX;
  }

  get approximate(): boolean {
    return this.#approximate;
  }

  add(key: Uint8Array, change: { readonly type: "put" | "delete"; readonly bytes: number }): void {
    const prefix = this.#folded(key);
    let counted = this.#counts.get(prefix);
    if (counted === undefined) {
      if (this.#counts.size >= this.#max) this.#dropHalf();
      counted = { puts: 0, deletes: 0, bytes: 0 };
      this.#counts.set(prefix, counted);
    }
    if (change.type === "put") counted.puts += 1;
    else counted.deletes += 1;
    counted.bytes += change.bytes;
  }

  /** The most written first; of equals, in the order of their bytes. */
  top(limit: number): readonly WrittenPrefix[] {
    return [...this.#counts]
      .sort(([one, a], [other, b]) => sum(b) - sum(a) || (one < other ? -1 : 1))
      .slice(0, limit)
      .map(([text, counted]) => ({ prefix: Buffer.from(text, "latin1"), ...counted }));
  }

  #folded(key: Uint8Array): string {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
    let end = 0;
    for (let level = 0; level < this.#depth; level += 1) {
      const at = bytes.indexOf(this.#delimiter, end);
      if (at < 0) return bytes.toString("latin1");
      end = at + this.#delimiter.length;
    }
    return bytes.toString("latin1", 0, end);
  }

  #dropHalf(): void {
    this.#approximate = true;
    const least = [...this.#counts].sort(([, a], [, b]) => sum(a) - sum(b));
    for (const [prefix] of least.slice(0, Math.ceil(least.length / 2))) this.#counts.delete(prefix);
  }
}

function sum({ puts, deletes }: Counted): number {
  return puts + deletes;
}
