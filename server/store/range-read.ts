// One listing in progress: walks the keys of a selector as they were at a revision, in either
// order, folding at a delimiter, in as many pieces as its caller likes.
//
// It holds a position, not a walk, between pieces, so the store may change meanwhile; that its
// revision stays readable is the caller's care.

import {
  boundsOfSelector,
  foldedPrefixOfSelector,
  prefixEnd,
  type Selector,
} from "../kv/selector.js";
import { ENTRY_OVERHEAD_BYTES, type Entry, type RangeQuery, type Revision } from "../kv/types.js";
import { bytesFromLatin1, latin1FromBytes } from "../lib/bytes.js";
import type { Walk } from "../lib/ordered-map.js";
import type { Counters } from "./counters.js";
import type { KeySpace } from "./key-space.js";
import { entryOfVersion, type KeyRecord } from "./version.js";

/** What a folded prefix weighs besides its bytes. */
const PREFIX_OVERHEAD_BYTES = 16;

export type RangeReadQuery = Pick<
  RangeQuery,
  "selector" | "order" | "limit" | "keysOnly" | "count" | "delimiter" | "resume" | "maxBytes"
>;

/** A half-open range as latin1; end undefined: past the last key. */
export interface TextBounds {
  readonly start: string;
  readonly end: string | undefined;
}

export function textBoundsOfSelector(selector: Selector): TextBounds {
  const { start, end } = boundsOfSelector(selector);
  return {
    start: latin1FromBytes(start),
    end: end === undefined ? undefined : latin1FromBytes(end),
  };
}

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
  readonly #delimiter: string;
  readonly #prefixLength: number;
  /** What is left to walk. */
  #start: string;
  #end: string | undefined;
  #next: string | undefined;

  constructor(keys: KeySpace, counters: Counters, query: RangeReadQuery, revision: Revision) {
    this.#keys = keys;
    this.#counters = counters;
    this.#query = query;
    this.revision = revision;
    this.#ascending = query.order === "ascending";
    this.#delimiter = latin1FromBytes(query.delimiter);
    this.#prefixLength = foldedPrefixOfSelector(query.selector).length;
    const { start, end } = textBoundsOfSelector(query.selector);
    this.#start = start;
    this.#end = end;
    if (query.resume !== undefined) this.#resume(latin1FromBytes(query.resume));
  }

  /** The bound to resume at, when rows remain. */
  get next(): Uint8Array | undefined {
    return this.#next === undefined ? undefined : bytesFromLatin1(this.#next);
  }

  /** Walks on, over at most `maxVisits` keys; true when the listing is done. */
  run(maxVisits: number): boolean {
    let visits = 0;
    let walk = this.#seek();
    for (;;) {
      const record = walk.next()?.[1];
      if (record === undefined || this.#beyond(record.key)) return true;
      visits += 1;
      this.#counters.entriesVisited += 1;
      const live = record.liveAt(this.revision);
      if (live === undefined) {
        this.#passKey(record.key);
      } else {
        const folded = this.#fold(record.key);
        if (folded === undefined) {
          if (!this.#take(record, entryOfVersion(record, live, this.#query.keysOnly))) return true;
          this.#passKey(record.key);
        } else {
          if (!this.#takePrefix(folded)) return true;
          if (!this.#passPrefix(folded)) return true;
          walk = this.#seek();
        }
      }
      if (visits >= maxVisits) return false;
    }
  }

  #seek(): Walk<string, KeyRecord> {
    this.#counters.seeks += 1;
    return this.#ascending ? this.#keys.ascend(this.#start) : this.#keys.descend(this.#end);
  }

  #beyond(key: string): boolean {
    if (!this.#ascending) return key < this.#start;
    return this.#end !== undefined && key >= this.#end;
  }

  /** The group that a key belongs to; undefined when it stands for itself. */
  #fold(key: string): string | undefined {
    if (this.#delimiter === "") return undefined;
    const at = key.indexOf(this.#delimiter, this.#prefixLength);
    return at < 0 ? undefined : key.slice(0, at + this.#delimiter.length);
  }

  #passKey(key: string): void {
    if (this.#ascending) this.#start = `${key}\0`;
    else this.#end = key;
  }

  /** False when no key can follow the group. */
  #passPrefix(prefix: string): boolean {
    if (!this.#ascending) {
      this.#end = prefix;
      return true;
    }
    const end = prefixEnd(bytesFromLatin1(prefix));
    if (end === undefined) return false;
    this.#start = latin1FromBytes(end);
    return true;
  }

  #take(record: KeyRecord, entry: Entry): boolean {
    const bytes = record.bytes.length + entry.value.length + ENTRY_OVERHEAD_BYTES;
    if (!this.#admit(bytes)) return this.#query.count === "also";
    if (this.#wantsRow()) this.entries.push(entry);
    return true;
  }

  #takePrefix(prefix: string): boolean {
    if (!this.#admit(prefix.length + PREFIX_OVERHEAD_BYTES)) return this.#query.count === "also";
    if (this.#wantsRow()) this.prefixes.push(bytesFromLatin1(prefix));
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
    if (this.#query.count !== "only") this.#next = this.#ascending ? this.#start : this.#end;
  }

  /** A resume bound may only narrow what the selector selects. */
  #resume(bound: string): void {
    if (this.#ascending) {
      if (bound > this.#start) this.#start = bound;
    } else if (this.#end === undefined || bound < this.#end) {
      this.#end = bound;
    }
  }
}
