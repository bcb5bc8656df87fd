// One listing in progress: walks the keys of a selector as they were at a revision, in either
// order, folding at a delimiter, in as many pieces as its caller likes.
//
// It holds a position, not a walk, between pieces, so the store may change meanwhile; that its
// revision stays readable is the caller's care.

import { boundsOfSelector, foldedPrefixOfSelector, keyAfter, prefixEnd } from "../kv/selector.js";
import { ENTRY_OVERHEAD_BYTES, type Entry, type RangeQuery, type Revision } from "../kv/types.js";
import { compareBytes, copyBytes } from "../lib/bytes.js";
import type { Counters } from "./counters.js";
import type { KeyCursor } from "./key-cursor.js";
import type { KeySpace } from "./key-space.js";
import { type KeyId, NO_KEY } from "./key-table.js";
import { NO_ROW, type Row } from "./row-layout.js";
import { entryOfRow } from "./version.js";

/** What a folded prefix weighs besides its bytes. */
const PREFIX_OVERHEAD_BYTES = 16;

export type RangeReadQuery = Pick<
  RangeQuery,
  "selector" | "order" | "limit" | "keysOnly" | "count" | "delimiter" | "resume" | "maxBytes"
>;

/** Why rows remain. */
type Remaining = "none" | "limit" | "bytes";

export class RangeRead {
  readonly revision: Revision;
  readonly entries: Entry[] = [];
  readonly prefixes: Uint8Array[] = [];
  /** All rows met so far, those that are only counted included. */
  rows = 0;
  /** Rows remain: the limit was reached, or the next row did not fit. */
  remaining: Remaining = "none";
  /** What the rows weigh. */
  bytes = 0;

  readonly #keys: KeySpace;
  readonly #counters: Counters;
  readonly #query: RangeReadQuery;
  readonly #ascending: boolean;
  readonly #delimiter: Buffer;
  readonly #prefixLength: number;
  /** What is left to walk. */
  #start: Uint8Array;
  #end: Uint8Array | undefined;
  #next: Uint8Array | undefined;
  /** The key that was walked over last; it is not in what is left to walk. */
  #passed: KeyId = NO_KEY;

  constructor(keys: KeySpace, counters: Counters, query: RangeReadQuery, revision: Revision) {
    this.#keys = keys;
    this.#counters = counters;
    this.#query = query;
    this.revision = revision;
    this.#ascending = query.order === "ascending";
    this.#delimiter = Buffer.from(query.delimiter);
    this.#prefixLength = foldedPrefixOfSelector(query.selector).length;
    const { start, end } = boundsOfSelector(query.selector);
    this.#start = start;
    this.#end = end;
    if (query.resume !== undefined) this.#resume(query.resume);
  }

  /** The bound to resume at, when rows remain. */
  get next(): Uint8Array | undefined {
    return this.#next;
  }

  /** Walks on, over at most `maxVisits` keys; true when the listing is done. */
  run(maxVisits: number): boolean {
    const { rows } = this.#keys;
    let walk = this.#seek();
    for (let visits = 0; visits < maxVisits; visits += 1) {
      const id = walk.next();
      if (id === NO_KEY || this.#beyond(id)) return true;
      this.#counters.entriesVisited += 1;
      const live = this.#keys.liveAt(id, this.revision);
      const folded = live === NO_ROW ? undefined : this.#fold(rows.keyOf(live));
      if (folded !== undefined) {
        if (!this.#takePrefix(folded) || !this.#passPrefix(folded)) return true;
        walk = this.#seek();
      } else if (live !== NO_ROW && !this.#take(live)) {
        return true;
      } else {
        this.#passed = id;
      }
    }
    this.#passKey();
    return false;
  }

  #seek(): KeyCursor {
    this.#counters.seeks += 1;
    return this.#ascending ? this.#keys.ascend(this.#start) : this.#keys.descend(this.#end);
  }

  #beyond(id: KeyId): boolean {
    if (!this.#ascending) return this.#keys.compareTo(id, this.#start) < 0;
    return this.#end !== undefined && this.#keys.compareTo(id, this.#end) >= 0;
  }

  /** The group that a key belongs to; undefined when it stands for itself. */
  #fold(key: Uint8Array): Uint8Array | undefined {
    if (this.#delimiter.length === 0) return undefined;
    const text = Buffer.from(key.buffer, key.byteOffset, key.length);
    const at = text.indexOf(this.#delimiter, this.#prefixLength);
    return at < 0 ? undefined : copyBytes(key.subarray(0, at + this.#delimiter.length));
  }

  /** What is left begins behind the key that was passed last. */
  #passKey(): void {
    if (this.#passed === NO_KEY) return;
    const key = this.#keys.rows.keyOf(this.#keys.newest(this.#passed));
    if (this.#ascending) this.#start = keyAfter(key);
    else this.#end = copyBytes(key);
    this.#passed = NO_KEY;
  }

  /** False when no key can follow the group. */
  #passPrefix(prefix: Uint8Array): boolean {
    this.#passed = NO_KEY;
    if (!this.#ascending) {
      this.#end = prefix;
      return true;
    }
    const end = prefixEnd(prefix);
    if (end === undefined) return false;
    this.#start = end;
    return true;
  }

  #take(row: Row): boolean {
    const { rows } = this.#keys;
    const { keysOnly, count } = this.#query;
    const value = keysOnly ? 0 : rows.valueLengthOf(row);
    const bytes = rows.keyLengthOf(row) + value + ENTRY_OVERHEAD_BYTES;
    if (!this.#admit(bytes)) return count === "also";
    if (this.#wantsRow()) this.entries.push(entryOfRow(rows, row, keysOnly));
    return true;
  }

  #takePrefix(prefix: Uint8Array): boolean {
    if (!this.#admit(prefix.length + PREFIX_OVERHEAD_BYTES)) return this.#query.count === "also";
    if (this.#wantsRow()) this.prefixes.push(prefix);
    return true;
  }

  #wantsRow(): boolean {
    return this.#query.count !== "only" && this.remaining === "none";
  }

  /** Counts a row in; false when it is one too many for the page. */
  #admit(bytes: number): boolean {
    const { limit, count, maxBytes } = this.#query;
    if (this.remaining === "none") {
      if (limit > 0 && this.rows >= limit) this.#close("limit");
      else if (count !== "only" && this.rows > 0 && this.bytes + bytes > maxBytes) {
        this.#close("bytes");
      }
    }
    if (this.remaining === "none" && count !== "only") this.bytes += bytes;
    if (this.remaining === "none" || count === "also") this.rows += 1;
    return this.remaining === "none";
  }

  #close(remaining: Remaining): void {
    this.remaining = remaining;
    this.#passKey();
    if (this.#query.count !== "only") this.#next = this.#ascending ? this.#start : this.#end;
  }

  /** A resume bound may only narrow what the selector selects. */
  #resume(bound: Uint8Array): void {
    if (this.#ascending) {
      if (compareBytes(bound, this.#start) > 0) this.#start = bound;
    } else if (this.#end === undefined || compareBytes(bound, this.#end) < 0) {
      this.#end = bound;
    }
  }
}
