// A commit as it is read: its changes one by one, in their order, from the rows where they lie.
//
// Rows go with compaction. Who keeps a commit for later settles it while it is there: then it has
// its changes by itself.

import type { Revision } from "../kv/types.js";
import { latin1FromBytes } from "../lib/bytes.js";
import { type Change, changeOfRow } from "./change.js";
import type { NewCommit } from "./history.js";
import type { Row } from "./row-layout.js";
import type { Rows } from "./rows.js";

export class Commit {
  readonly revision: Revision;
  /** Milliseconds since 1970; never below the commit before. */
  readonly timeMs: number;
  /** How many changes it has. */
  readonly length: number;
  readonly #rows: Rows;
  /** The row at a place of the changes: reading goes on from there. */
  #row: Row;
  #place = 0;
  readonly #first: Row;
  #change: Change | undefined;
  #changePlace = 0;
  #changes: readonly Change[] | undefined;

  constructor(rows: Rows, { revision, timeMs, first, length }: NewCommit) {
    this.revision = revision;
    this.timeMs = timeMs;
    this.length = length;
    this.#rows = rows;
    this.#first = first;
    this.#row = first;
  }

  /** Cheapest one after the other. */
  at(place: number): Change {
    if (this.#changes !== undefined) return this.#changes[place] as Change;
    if (this.#change === undefined || place !== this.#changePlace) {
      this.#change = changeOfRow(this.#rows, this.#rowAt(place));
      this.#changePlace = place;
    }
    return this.#change;
  }

  /** The key of a change as latin1, see lib/bytes; the change is not made for it. */
  keyAt(place: number): string {
    if (this.#changes !== undefined) return (this.#changes[place] as Change).text;
    return latin1FromBytes(this.#rows.keyOf(this.#rowAt(place)));
  }

  /** Nor for this. */
  isDelete(place: number): boolean {
    if (this.#changes !== undefined) return this.#changes[place]?.deleted !== undefined;
    return !this.#rows.isPut(this.#rowAt(place));
  }

  /** Takes the changes out of the store's memory: it can be read at any time then. */
  settle(): void {
    this.#changes ??= Array.from({ length: this.length }, (_, place) => this.at(place).copy());
    this.#change = undefined;
  }
  #rowAt(place: number): Row {
    if (place < this.#place) {
      this.#row = this.#first;
      this.#place = 0;
    }
    for (; this.#place < place; this.#place += 1) this.#row = this.#rows.after(this.#row);
    return this.#row;
  }
}
