// The versions of keys as objects: how they come in, from a log or a snapshot, and how they go out.
// Inside the store they are rows.

import type { DeleteReason, Entry, LeaseId, Revision } from "../kv/types.js";
import { NO_LEASE } from "../kv/types.js";
import type { Row } from "./row-layout.js";
import type { Rows } from "./rows.js";

/** One state of a key: an entry, or a tombstone when `deleted` says why. */
export interface Version {
  readonly revision: Revision;
  /** Which of its commit's changes made it, from 0. */
  readonly place: number;
  readonly createRevision: Revision;
  /** Counts the changes since the creation; 0 for a tombstone. */
  readonly version: number;
  readonly value: Uint8Array;
  readonly leaseId: LeaseId;
  readonly deleted: DeleteReason | undefined;
}

const NO_BYTES = new Uint8Array(0);

export function tombstone(
  { revision, place }: Pick<Version, "revision" | "place">,
  deleted: DeleteReason,
): Version {
  return {
    revision,
    place,
    createRevision: 0,
    version: 0,
    value: NO_BYTES,
    leaseId: NO_LEASE,
    deleted,
  };
}

/** Its bytes are views of the store's memory. */
export function versionOfRow(rows: Rows, row: Row): Version {
  return {
    revision: rows.revisionOf(row),
    place: rows.placeOf(row),
    createRevision: rows.createRevisionOf(row),
    version: rows.versionOf(row),
    value: rows.valueOf(row),
    leaseId: rows.leaseIdOf(row),
    deleted: rows.deletedOf(row),
  };
}

/** Its bytes are views of the store's memory. */
export function entryOfRow(rows: Rows, row: Row, keysOnly = false): Entry {
  return {
    key: rows.keyOf(row),
    value: keysOnly ? NO_BYTES : rows.valueOf(row),
    createRevision: rows.createRevisionOf(row),
    modRevision: rows.revisionOf(row),
    version: rows.versionOf(row),
    leaseId: rows.leaseIdOf(row),
  };
}
