// The commits that are not compacted, by revision: where their rows are, and when they were made.
// What watches catch up from, and what compaction walks to find the rows that may go.

import type { Revision } from "../kv/types.js";
import { Commit } from "./commit.js";
import type { Row } from "./row-layout.js";
import type { Rows } from "./rows.js";

const PAGE_BITS = 10;
const PAGE_COMMITS = 2 ** PAGE_BITS;
const PAGE_MASK = PAGE_COMMITS - 1;

/** Dropped pages are cut off in one go once they are this many and half of all. */
const TRIM_PAGES = 64;

class Page {
  readonly rows = new Uint32Array(PAGE_COMMITS);
  readonly lengths = new Uint32Array(PAGE_COMMITS);
  readonly times = new Float64Array(PAGE_COMMITS);
}

/** The rows of a commit that is being added. */
export interface NewCommit {
  readonly revision: Revision;
  readonly timeMs: number;
  readonly first: Row;
  readonly length: number;
}

/** Revisions are dense: each follows the one before. */
export class History {
  readonly #rows: Rows;
  #pages: (Page | undefined)[] = [];
  /** Places from the beginning of the first page: of the oldest commit, and behind the newest. */
  #start = 0;
  #end = 0;
  #newestRevision: Revision = 0;
  /** So that who reads a large commit piece by piece does not begin anew each time. */
  #last: Commit | undefined;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  get size(): number {
    return this.#end - this.#start;
  }

  get oldestRevision(): Revision | undefined {
    return this.size === 0 ? undefined : this.#newestRevision - this.size + 1;
  }

  get newestRevision(): Revision | undefined {
    return this.size === 0 ? undefined : this.#newestRevision;
  }

  has(revision: Revision): boolean {
    return revision <= this.#newestRevision && revision > this.#newestRevision - this.size;
  }

  at(revision: Revision): Commit | undefined {
    if (!this.has(revision)) return undefined;
    if (this.#last?.revision === revision) return this.#last;
    const place = this.#placeOf(revision);
    const page = this.#pages[place >>> PAGE_BITS] as Page;
    const at = place & PAGE_MASK;
    this.#last = new Commit(this.#rows, {
      revision,
      timeMs: page.times[at] as number,
      first: page.rows[at] as number,
      length: page.lengths[at] as number,
    });
    return this.#last;
  }

  /** Of a commit that is here. */
  timeOf(revision: Revision): number {
    const place = this.#placeOf(revision);
    return (this.#pages[place >>> PAGE_BITS] as Page).times[place & PAGE_MASK] as number;
  }

  /** How many changes a commit has that is here. */
  lengthOf(revision: Revision): number {
    const place = this.#placeOf(revision);
    return (this.#pages[place >>> PAGE_BITS] as Page).lengths[place & PAGE_MASK] as number;
  }

  firstRowOf(revision: Revision): Row {
    const place = this.#placeOf(revision);
    return (this.#pages[place >>> PAGE_BITS] as Page).rows[place & PAGE_MASK] as number;
  }

  push({ revision, timeMs, first, length }: NewCommit): void {
    this.pushOne(revision, timeMs, first);
    if (length === 1) return;
    const place = this.#end - 1;
    (this.#pages[place >>> PAGE_BITS] as Page).lengths[place & PAGE_MASK] = length;
  }

  /** A commit of one change. (bench: batch-memory.) */
  pushOne(revision: Revision, timeMs: number, row: Row): void {
    const place = this.#end;
    if (place >>> PAGE_BITS === this.#pages.length) this.#pages.push(new Page());
    const page = this.#pages[place >>> PAGE_BITS] as Page;
    page.rows[place & PAGE_MASK] = row;
    page.lengths[place & PAGE_MASK] = 1;
    page.times[place & PAGE_MASK] = timeMs;
    this.#end += 1;
    this.#newestRevision = revision;
  }

  dropNewest(): void {
    this.#last = undefined;
    this.#end -= 1;
    this.#newestRevision -= 1;
    if (this.#end >>> PAGE_BITS < this.#pages.length - 1) this.#pages.pop();
  }

  dropOldest(): void {
    this.#last = undefined;
    this.#start += 1;
    if ((this.#start & PAGE_MASK) !== 0) return;
    const dropped = this.#start >>> PAGE_BITS;
    this.#pages[dropped - 1] = undefined;
    if (dropped < TRIM_PAGES || dropped * 2 < this.#pages.length) return;
    this.#pages = this.#pages.slice(dropped);
    this.#start -= dropped * PAGE_COMMITS;
    this.#end -= dropped * PAGE_COMMITS;
  }

  #placeOf(revision: Revision): number {
    return this.#end - 1 - (this.#newestRevision - revision);
  }
}
