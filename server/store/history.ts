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

/** Ten bytes a commit. */
class Page {
  readonly rows = new Uint32Array(PAGE_COMMITS);
  /** MANY: it stands elsewhere. */
  readonly lengths = new Uint16Array(PAGE_COMMITS);
  /** Milliseconds since that of the first commit; wider where a page spans more than 49 days. */
  #times: Uint32Array | Float64Array = new Uint32Array(PAGE_COMMITS);
  readonly #firstMs: number;

  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  timeAt(at: number): number {
    return this.#firstMs + (this.#times[at] as number);
  }

  setTime(at: number, timeMs: number): void {
    const sinceMs = timeMs - this.#firstMs;
    const fits = Number.isInteger(sinceMs) && sinceMs >= 0 && sinceMs < 2 ** 32;
    if (!fits) this.#times = Float64Array.from(this.#times);
    this.#times[at] = sinceMs;
  }
}

/** A commit with as many changes or more. */
const MANY = 0xffff;

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
  /** How many changes a commit has, where those are MANY or more. */
  readonly #many = new Map<Revision, number>();
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
      timeMs: page.timeAt(at),
      first: page.rows[at] as number,
      length: this.lengthOf(revision),
    });
    return this.#last;
  }

  /** Of a commit that is here. */
  timeOf(revision: Revision): number {
    const place = this.#placeOf(revision);
    return (this.#pages[place >>> PAGE_BITS] as Page).timeAt(place & PAGE_MASK);
  }

  /** How many changes a commit has that is here. */
  lengthOf(revision: Revision): number {
    const place = this.#placeOf(revision);
    const page = this.#pages[place >>> PAGE_BITS] as Page;
    const length = page.lengths[place & PAGE_MASK] as number;
    return length === MANY ? (this.#many.get(revision) as number) : length;
  }

  firstRowOf(revision: Revision): Row {
    const place = this.#placeOf(revision);
    return (this.#pages[place >>> PAGE_BITS] as Page).rows[place & PAGE_MASK] as number;
  }

  push({ revision, timeMs, first, length }: NewCommit): void {
    this.pushOne(revision, timeMs, first);
    if (length === 1) return;
    const place = this.#end - 1;
    const page = this.#pages[place >>> PAGE_BITS] as Page;
    page.lengths[place & PAGE_MASK] = Math.min(length, MANY);
    if (length >= MANY) this.#many.set(revision, length);
  }

  /** A commit of one change. (bench: batch-memory.) */
  pushOne(revision: Revision, timeMs: number, row: Row): void {
    const place = this.#end;
    if (place >>> PAGE_BITS === this.#pages.length) this.#pages.push(new Page(timeMs));
    const page = this.#pages[place >>> PAGE_BITS] as Page;
    page.rows[place & PAGE_MASK] = row;
    page.lengths[place & PAGE_MASK] = 1;
    page.setTime(place & PAGE_MASK, timeMs);
    this.#end += 1;
    this.#newestRevision = revision;
  }

  dropNewest(): void {
    this.#last = undefined;
    this.#many.delete(this.#newestRevision);
    this.#end -= 1;
    this.#newestRevision -= 1;
    if (this.#end >>> PAGE_BITS < this.#pages.length - 1) this.#pages.pop();
  }

  dropOldest(): void {
    this.#last = undefined;
    if (this.#many.size > 0) this.#many.delete(this.#newestRevision - this.size + 1);
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
