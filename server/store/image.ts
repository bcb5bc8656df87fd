// A store as it is carried over a restart: what a snapshot holds, item by item.
//
// The state at the compact revision, and the commits from there on: every version that can be read
// is there once. Leases have what remains of them, because deadlines mean nothing to another clock.

import type { Revision } from "../kv/types.js";
import type { GrantedLease } from "./backend.js";
import type { NewRow } from "./row-layout.js";

/** Where in a log an image stands. */
export interface LogPlace {
  /** The segment that goes on after it; 0 when there is no log. */
  readonly segment: number;
  /** The CRC of the last record before. */
  readonly crc: number;
  /** For how long the store has been served. */
  readonly runningMs: number;
}

export const NO_LOG: LogPlace = { segment: 0, crc: 0, runningMs: 0 };

export interface ImageHeader {
  readonly storeId: string;
  /** The head. */
  readonly revision: Revision;
  readonly compactRevision: Revision;
  /** The commit time of the head, so that it never goes back; 0 when there was no commit. */
  readonly timeMs: number;
  readonly log: LogPlace;
}

/** Takes an image: leases, entries in the order of their keys, commits, each before its changes. */
export interface ImageTarget {
  /** It wants a pause before more. */
  readonly isFull: boolean;
  lease(lease: GrantedLease, remainingMs: number): void;
  /**
   * An entry at the compact revision that no commit below makes, with its place in its own. Rows
   * are the giver's: this object is another row with the next call.
   */
  entry(row: NewRow): void;
  commit(revision: Revision, timeMs: number, changes: number): void;
  /** Of the commit that came last; so many of them as that said. */
  change(row: NewRow): void;
}

/** For who only wants to know whether an image can be read. */
export const NO_TARGET: ImageTarget = {
  isFull: false,
  lease: () => {},
  entry: () => {},
  commit: () => {},
  change: () => {},
};
