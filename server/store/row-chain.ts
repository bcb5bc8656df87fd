// The rows of one key as a chain, from the newest to the oldest that is kept, and how to find one
// of a million in a few steps: a row at depth d jumps to the one at depth d without its lowest bit,
// as the sums of a Fenwick tree do. (P. Fenwick, A New Data Structure for Cumulative Frequency
// Tables, 1994.) So a read of old history costs about the square of a logarithm.
//
// Compaction cuts chains at their old end. previousOf() is right at any time; a jump may lead to
// what is gone: it is followed only to a revision above the floor, where everything is kept.

import type { Revision } from "../kv/types.js";
import { NO_ROW, type Row, type RowLink } from "./row-layout.js";
import type { Rows } from "./rows.js";

/** The newest row at or below a revision that is not below the floor; NO_ROW when there is none. */
export function rowAt(rows: Rows, newest: Row, revision: Revision): Row {
  let row = newest;
  while (row !== NO_ROW && rows.revisionOf(row) > revision) {
    row = rows.jumpRevisionOf(row) > revision ? rows.jumpOf(row) : rows.previousOf(row);
  }
  return row;
}

/** The oldest row above a revision that is not below the floor; NO_ROW when there is none. */
export function rowAbove(rows: Rows, newest: Row, revision: Revision): Row {
  if (newest === NO_ROW || rows.revisionOf(newest) <= revision) return NO_ROW;
  let row = newest;
  for (;;) {
    if (rows.jumpRevisionOf(row) > revision) {
      row = rows.jumpOf(row);
      continue;
    }
    const previous = rows.previousOf(row);
    if (previous === NO_ROW || rows.revisionOf(previous) <= revision) return row;
    row = previous;
  }
}

/** Always the same object: the store makes one row at a time. */
const LINK: { -readonly [field in keyof RowLink]: RowLink[field] } = {
  jump: NO_ROW,
  depth: 0,
  jumpRevision: 0,
};

/**
 * The link of a row whose previous one is this, until the next call. What is not above the floor
 * may be gone.
 */
export function linkTo(rows: Rows, previous: Row, floor: Revision): RowLink {
  const depth = rows.depthOf(previous) + 1;
  let jump = previous;
  let jumpRevision = rows.revisionOf(previous);
  // The row before has depth - 1: each jump takes one more low bit away.
  for (let reached = depth - 1; reached > (depth & (depth - 1)); reached &= reached - 1) {
    const revision = rows.jumpRevisionOf(jump);
    if (revision <= floor) break;
    jump = rows.jumpOf(jump);
    jumpRevision = revision;
  }
  LINK.jump = jump;
  LINK.depth = depth;
  LINK.jumpRevision = jumpRevision;
  return LINK;
}
