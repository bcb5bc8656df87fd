// Keys by number: dense ids, each with the newest row of its key, found by the key's bytes and
// walked in their order. The bytes themselves are in the rows.

import assert from "node:assert/strict";
import { latin1FromBytes } from "../lib/bytes.js";
import type { HashSeed } from "../lib/half-sip-hash.js";
import type { KeyCursor } from "./key-cursor.js";
import { KeyHash } from "./key-hash.js";
import { KeyOrder } from "./key-order.js";
import { type SortableKeys, sortInRuns } from "./key-sort.js";
import type { Row } from "./row-layout.js";
import type { Rows } from "./rows.js";

/** A key that has a row; 0: none. It is another's once the key has none any more. */
export type KeyId = number;

export const NO_KEY: KeyId = 0;

const PAGE_BITS = 12;
const PAGE_IDS = 2 ** PAGE_BITS;
const PAGE_MASK = PAGE_IDS - 1;

export class KeyTable implements SortableKeys {
  readonly #rows: Rows;
  readonly #hash: KeyHash;
  /** Undefined while keys are loaded. */
  #order: KeyOrder | undefined;
  /** The newest row by id; of a free id the next free one. */
  readonly #pages: Uint32Array[] = [];
  #freeId: KeyId = NO_KEY;
  #nextId: KeyId = 1;

  constructor(rows: Rows, seed: HashSeed) {
    this.#rows = rows;
    this.#hash = new KeyHash({ keys: this, seed });
    this.#order = new KeyOrder({ keys: this });
  }

  get size(): number {
    return this.#hash.size;
  }

  /**
   * For a load of many keys in any order, into an empty table: their own order is made at the end,
   * or when somebody asks for it.
   */
  startLoading(): void {
    this.#order = undefined;
  }

  finishLoading(): void {
    this.#ordered();
  }

  /** The key in bytes[start, end). */
  find(bytes: Uint8Array, start: number, end: number): KeyId {
    return this.#hash.find(this.#hash.hash(bytes, start, end), bytes, start, end);
  }

  newest(id: KeyId): Row {
    return (this.#pages[id >>> PAGE_BITS] as Uint32Array)[id & PAGE_MASK] as number;
  }

  setNewest(id: KeyId, row: Row): void {
    (this.#pages[id >>> PAGE_BITS] as Uint32Array)[id & PAGE_MASK] = row;
  }

  /** Adds the key of a row, its first. */
  add(row: Row): KeyId {
    const id = this.#takeId();
    this.setNewest(id, row);
    const bytes = this.#rows.bytesOf(row);
    const start = this.#rows.keyStartOf(row);
    const end = start + this.#rows.keyLengthOf(row);
    this.#hash.add(this.#hash.hash(bytes, start, end), id);
    this.#order?.insert(id, bytes, start, end);
    return id;
  }

  /** While it still has a row. */
  remove(id: KeyId): void {
    const row = this.newest(id);
    const bytes = this.#rows.bytesOf(row);
    const start = this.#rows.keyStartOf(row);
    const end = start + this.#rows.keyLengthOf(row);
    this.#hash.remove(this.#hash.hash(bytes, start, end), id);
    this.#order?.remove(id, bytes, start, end);
    this.setNewest(id, this.#freeId);
    this.#freeId = id;
  }

  /** From the first key at or above `from`, upwards; undefined: from the lowest. */
  ascend(from: Uint8Array | undefined): KeyCursor {
    return this.#ordered().ascend(from);
  }

  /** The same for keys that have an entry now; others may be left out, or not. */
  ascendLiving(from: Uint8Array): KeyCursor {
    return this.#ordered().ascendLiving(from);
  }

  /** The key of a row has an entry again, after it had none. */
  revive(row: Row): void {
    const start = this.#rows.keyStartOf(row);
    const end = start + this.#rows.keyLengthOf(row);
    this.#order?.revive(this.#rows.bytesOf(row), start, end);
  }

  /** From the last key below `before`, downwards; undefined: from the highest. */
  descend(before: Uint8Array | undefined): KeyCursor {
    return this.#ordered().descend(before);
  }

  /** @throws when the hash or the order is not as it should be. */
  check(): void {
    this.#hash.check();
    const order = this.#ordered();
    order.check();
    for (const id of order.deadIds()) {
      assert.ok(!this.#rows.isPut(this.newest(id)), "no key of a dead leaf has an entry");
    }
  }

  isKey(id: KeyId, bytes: Uint8Array, start: number, end: number): boolean {
    const row = this.newest(id);
    const length = this.#rows.keyLengthOf(row);
    if (length !== end - start) return false;
    const own = this.#rows.bytesOf(row);
    const at = this.#rows.keyStartOf(row);
    for (let index = 0; index < length; index += 1) {
      if (own[at + index] !== bytes[start + index]) return false;
    }
    return true;
  }

  compareTo(id: KeyId, bytes: Uint8Array, start: number, end: number): number {
    return this.#rows.compareKey(this.newest(id), bytes, start, end);
  }

  compareIds(left: KeyId, right: KeyId): number {
    const row = this.newest(right);
    const start = this.#rows.keyStartOf(row);
    return this.compareTo(
      left,
      this.#rows.bytesOf(row),
      start,
      start + this.#rows.keyLengthOf(row),
    );
  }

  head(id: KeyId, length: number): string {
    return latin1FromBytes(this.#rows.keyOf(this.newest(id)).subarray(0, length));
  }

  wordAt(id: KeyId, offset: number): number {
    const row = this.newest(id);
    const bytes = this.#rows.bytesOf(row);
    const start = this.#rows.keyStartOf(row) + offset;
    const left = this.#rows.keyLengthOf(row) - offset;
    let word = 0;
    for (let index = 0; index < 4; index += 1) {
      word = word * 256 + (index < left ? (bytes[start + index] as number) : 0);
    }
    return word;
  }

  sharedPrefix(left: KeyId, right: KeyId): number {
    const [one, other] = [this.newest(left), this.newest(right)];
    const [oneBytes, otherBytes] = [this.#rows.bytesOf(one), this.#rows.bytesOf(other)];
    const [oneStart, otherStart] = [this.#rows.keyStartOf(one), this.#rows.keyStartOf(other)];
    const most = Math.min(this.#rows.keyLengthOf(one), this.#rows.keyLengthOf(other));
    let length = 0;
    while (length < most && oneBytes[oneStart + length] === otherBytes[otherStart + length]) {
      length += 1;
    }
    return length;
  }

  /** The order, made now if it was left for later. */
  #ordered(): KeyOrder {
    if (this.#order !== undefined) return this.#order;
    const order = new KeyOrder({ keys: this });
    const ids = this.#idsInTurn();
    const sorted = sortInRuns(this, ids, this.#sharedByAll(ids));
    for (let at = 0; at < ids.length; at += 1) {
      const id = ids[at] as KeyId;
      const row = this.newest(id);
      const bytes = this.#rows.bytesOf(row);
      const start = this.#rows.keyStartOf(row);
      const end = start + this.#rows.keyLengthOf(row);
      if (at < sorted) order.append(id, bytes, start, end);
      else order.insert(id, bytes, start, end);
    }
    this.#order = order;
    return order;
  }

  /** All ids, in the order in which they were given: so their rows follow each other in memory. */
  #idsInTurn(): Uint32Array {
    if (this.size !== this.#nextId - 1) return this.#hash.ids().sort();
    return new Uint32Array(this.size).map((_, at) => at + 1);
  }

  /** How many bytes all of these keys begin with alike. */
  #sharedByAll(ids: Uint32Array): number {
    const [first] = ids;
    if (first === undefined) return 0;
    const key = this.#rows.keyOf(this.newest(first)).slice();
    let shared = key.length;
    for (const id of ids) {
      const row = this.newest(id);
      const bytes = this.#rows.bytesOf(row);
      const start = this.#rows.keyStartOf(row);
      shared = Math.min(shared, this.#rows.keyLengthOf(row));
      let same = 0;
      while (same < shared && bytes[start + same] === key[same]) same += 1;
      shared = same;
    }
    return shared;
  }

  #takeId(): KeyId {
    const free = this.#freeId;
    if (free !== NO_KEY) {
      this.#freeId = this.newest(free);
      return free;
    }
    const id = this.#nextId;
    this.#nextId += 1;
    if (id >>> PAGE_BITS === this.#pages.length) this.#pages.push(new Uint32Array(PAGE_IDS));
    return id;
  }
}
