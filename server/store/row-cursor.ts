// A version that stands somewhere in bytes: one object for all of them in turn, since a start reads
// millions. Who is shown one copies what it wants to keep.

import { type DeleteReason, type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import type { ViewedBytes } from "../lib/viewed-bytes.js";
import type { NewRow } from "./row-layout.js";

const NO_BYTES = new Uint8Array(0);

export class RowCursor implements NewRow {
  revision: Revision = 0;
  place = 0;
  deleted: DeleteReason | undefined = undefined;
  key: Uint8Array = NO_BYTES;
  keyStart = 0;
  keyEnd = 0;
  value: Uint8Array = NO_BYTES;
  valueStart = 0;
  valueEnd = 0;
  createRevision: Revision = 0;
  version = 0;
  leaseId: LeaseId = NO_LEASE;
  view: DataView | undefined = undefined;

  /** A key of so many bytes stands at `at`, and right behind it a value. */
  lieIn({ bytes, view }: ViewedBytes, at: number, keyLength: number, valueLength: number): void {
    this.key = bytes;
    this.value = bytes;
    this.view = view;
    this.keyStart = at;
    this.keyEnd = at + keyLength;
    this.valueStart = this.keyEnd;
    this.valueEnd = this.keyEnd + valueLength;
  }

  /** What a put says besides its key and value. */
  setPut(createRevision: Revision, version: number, leaseId: LeaseId): void {
    this.deleted = undefined;
    this.createRevision = createRevision;
    this.version = version;
    this.leaseId = leaseId;
  }

  setTombstone(reason: DeleteReason): void {
    this.deleted = reason;
    this.createRevision = 0;
    this.version = 0;
    this.leaseId = NO_LEASE;
  }
}
