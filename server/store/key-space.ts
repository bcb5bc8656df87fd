// All keys with their rows, and what they weigh.
//
// Only commits add rows (and take them back when they are abandoned), only compaction drops them;
// the sums are kept at each of these steps, and check.ts counts them anew.

import type { DeleteReason, Revision } from "../kv/types.js";
import { NO_LEASE } from "../kv/types.js";
import type { HashSeed } from "../lib/half-sip-hash.js";
import type { KeyCursor } from "./key-cursor.js";
import { type KeyId, KeyTable, NO_KEY } from "./key-table.js";
import { linkTo, rowAbove, rowAt } from "./row-chain.js";
import { type NewRow, NO_ROW, type Row } from "./row-layout.js";
import { Rows } from "./rows.js";
import { CHANGE_BYTES, rowBytes } from "./weights.js";

/** To copy so much costs about as much as to look at a row. */
const ROW_WORK_BYTES = 1024;

export class KeySpace {
  readonly rows: Rows;
  readonly #table: KeyTable;
  /** Reads below it are refused: see Compactor. */
  floor: Revision = 0;
  #liveKeys = 0;
  #liveBytes = 0;
  #historyBytes = 0;
  #work = 0;
  /** Segments that are mostly garbage, and the row from which on they are not emptied yet. */
  readonly #sparse = new Map<number, Row>();

  constructor(seed: HashSeed, rows = new Rows()) {
    this.rows = rows;
    this.#table = new KeyTable(this.rows, seed);
  }

  /** How many keys exist now. */
  get liveKeys(): number {
    return this.#liveKeys;
  }

  /** How many keys there are, those included that are only tombstones. */
  get size(): number {
    return this.#table.size;
  }

  /** What the present entries weigh. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** What superseded versions, tombstones and the list of commits weigh. */
  get historyBytes(): number {
    return this.#historyBytes;
  }

  /** For a load of many keys into an empty store, before finishLoading(). */
  startLoading(): void {
    this.#table.startLoading();
  }

  finishLoading(): void {
    this.#table.finishLoading();
  }

  /** What all rows that were ever added cost, in rows: see reclaim(). */
  get work(): number {
    return this.#work;
  }

  find(key: Uint8Array): KeyId {
    return this.#table.find(key, 0, key.length);
  }

  /** The key in bytes[start, end). */
  findIn(bytes: Uint8Array, start: number, end: number): KeyId {
    return this.#table.find(bytes, start, end);
  }

  /** The key of a row that is here. */
  keyOf(row: Row): KeyId {
    const start = this.rows.keyStartOf(row);
    return this.findIn(this.rows.bytesOf(row), start, start + this.rows.keyLengthOf(row));
  }

  /** The newest row of a key; NO_ROW for none. */
  newest(id: KeyId): Row {
    return id === NO_KEY ? NO_ROW : this.#table.newest(id);
  }

  /** The row of the entry that a key has now; NO_ROW when it is absent. */
  live(id: KeyId): Row {
    return this.#putOf(this.newest(id));
  }

  /** The row of the entry that a key had at a revision, which can be read. */
  liveAt(id: KeyId, revision: Revision): Row {
    return this.#putOf(rowAt(this.rows, this.newest(id), revision));
  }

  /** The newest row of a key at or below a revision, which can be read. */
  at(id: KeyId, revision: Revision): Row {
    return rowAt(this.rows, this.newest(id), revision);
  }

  /** Below, equal or above 0: a key against these bytes. */
  compareTo(id: KeyId, bytes: Uint8Array): number {
    return this.#table.compareTo(id, bytes, 0, bytes.length);
  }

  /** From the first key at or above `from`, upwards; undefined: from the lowest. */
  ascend(from: Uint8Array | undefined): KeyCursor {
    return this.#table.ascend(from);
  }

  /** The same, but keys that are absent now may be left out: say isLiving() of the others. */
  ascendLiving(from: Uint8Array): KeyCursor {
    return this.#table.ascendLiving(from);
  }

  /** From the last key below `before`, downwards; undefined: from the highest. */
  descend(before: Uint8Array | undefined): KeyCursor {
    return this.#table.descend(before);
  }

  /** Adds the newest version of a key, known or not (NO_KEY). All bytes are copied. */
  add(id: KeyId, version: NewRow): Row {
    const { rows } = this;
    const previous = this.newest(id);
    const link = previous === NO_ROW ? undefined : linkTo(rows, previous, this.floor);
    const row = rows.append(version, previous, link);
    if (id === NO_KEY) this.#table.add(row);
    else this.#table.setNewest(id, row);
    if (this.#putOf(previous) !== NO_ROW) this.#retire(previous);
    else if (previous !== NO_ROW) this.#table.revive(row);
    this.#count(row, 1);
    this.#historyBytes += CHANGE_BYTES;
    this.#work += workOf(rows.lengthOf(row));
    return row;
  }

  /** Adds a tombstone of a key that is present. */
  addTombstone(
    id: KeyId,
    of: { readonly revision: Revision; readonly place: number; readonly deleted: DeleteReason },
  ): Row {
    const live = this.newest(id);
    const keyStart = this.rows.keyStartOf(live);
    return this.add(id, {
      revision: of.revision,
      place: of.place,
      deleted: of.deleted,
      key: this.rows.bytesOf(live),
      keyStart,
      keyEnd: keyStart + this.rows.keyLengthOf(live),
      value: this.rows.bytesOf(live),
      valueStart: 0,
      valueEnd: 0,
      createRevision: 0,
      version: 0,
      leaseId: NO_LEASE,
      view: this.rows.sourceOf(live).view,
    });
  }

  /**
   * Takes the newest row of a key back, which was added last: the exact inverse of add(). Gives the
   * row of the entry that the key has again.
   */
  takeBack(id: KeyId): Row {
    const row = this.newest(id);
    const previous = this.rows.previousOf(row);
    this.#historyBytes -= CHANGE_BYTES;
    this.#count(row, -1);
    if (previous === NO_ROW) this.#table.remove(id);
    else this.#table.setNewest(id, previous);
    const live = this.#putOf(previous);
    if (live !== NO_ROW) this.#revive(live);
    if (live !== NO_ROW && !this.rows.isPut(row)) this.#table.revive(live);
    this.rows.truncate(row);
    return live;
  }

  /**
   * Drops what nobody can read any more because of this row, one at or below the floor: the row
   * before it, and itself when it is a tombstone older than the floor. A tombstone right at the
   * floor stays, so that a watch from there still tells the delete. Rows are walked in the order of
   * their revisions; twice does no harm to one that stays.
   */
  dropBehind(row: Row): void {
    const { rows } = this;
    const previous = rows.previousOf(row);
    if (previous !== NO_ROW) {
      rows.setPrevious(row, NO_ROW);
      this.#drop(previous);
    }
    const revision = rows.revisionOf(row);
    if (rows.isPut(row) || revision >= this.floor) return;
    const id = this.keyOf(row);
    const newest = this.newest(id);
    if (newest === row) this.#table.remove(id);
    else rows.setPrevious(rowAbove(rows, newest, revision), NO_ROW);
    this.#drop(row);
  }

  /** The list of commits lost one with this many changes. */
  forgetChanges(count: number): void {
    this.#historyBytes -= count * CHANGE_BYTES;
  }

  /**
   * Lets memory go that is mostly garbage, by moving what is left in it: looks at about `maxWork`
   * rows, where a row that has to be moved counts by its length. Commits point to the rows of
   * `revision` and later, and those stay where they are; all before it have been walked. True when
   * nothing is left to do now.
   */
  reclaim(revision: Revision, maxWork: number): boolean {
    let left = maxWork;
    for (const [segment, from] of this.#sparse) {
      if (!this.rows.isSettled(segment, revision)) continue;
      if (!this.rows.canMove) return true;
      let row = this.rows.isSparse(segment) ? from : NO_ROW;
      for (; row !== NO_ROW && !this.rows.isEmpty(segment); row = this.rows.behind(row)) {
        if (left <= 0) {
          this.#sparse.set(segment, row);
          return false;
        }
        left -= this.#moveIfKept(row, revision) ? workOf(this.rows.lengthOf(row)) : 1;
      }
      this.#sparse.delete(segment);
      if (this.rows.isEmpty(segment)) this.rows.release(segment);
    }
    return true;
  }

  /** @throws when the index is not as it should be. */
  check(): void {
    this.#table.check();
  }

  /**
   * Rows before `revision` are kept only as the newest there of their keys. Whether it was moved.
   */
  #moveIfKept(row: Row, revision: Revision): boolean {
    const { rows } = this;
    if (rows.isDropped(row)) return false;
    const id = this.keyOf(row);
    const newest = this.newest(id);
    const moved = rows.move(row);
    if (newest === row) this.#table.setNewest(id, moved);
    else rows.setPrevious(rowAbove(rows, newest, revision - 1), moved);
    return true;
  }

  #drop(row: Row): void {
    this.#historyBytes -= rowBytes(this.rows, row);
    if (!this.rows.drop(row)) return;
    const segment = this.rows.segmentOf(row);
    if (!this.#sparse.has(segment)) this.#sparse.set(segment, this.rows.firstOf(segment));
  }

  #putOf(row: Row): Row {
    return row !== NO_ROW && this.rows.isPut(row) ? row : NO_ROW;
  }

  /** Counts a newest row in (1) or out (-1). */
  #count(row: Row, sign: 1 | -1): void {
    const bytes = sign * rowBytes(this.rows, row);
    if (this.rows.isPut(row)) {
      this.#liveKeys += sign;
      this.#liveBytes += bytes;
    } else {
      this.#historyBytes += bytes;
    }
  }

  /** An entry becomes history. */
  #retire(row: Row): void {
    this.#count(row, -1);
    this.#historyBytes += rowBytes(this.rows, row);
  }

  /** The inverse. */
  #revive(row: Row): void {
    this.#historyBytes -= rowBytes(this.rows, row);
    this.#count(row, 1);
  }
}

function workOf(length: number): number {
  return 1 + length / ROW_WORK_BYTES;
}
