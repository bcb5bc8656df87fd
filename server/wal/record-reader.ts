// Records as they come back from the bytes of a log.

import { type DeleteReason, type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import { type ViewedBytes, viewedBytes } from "../lib/viewed-bytes.js";
import type { GrantedLease, ReplayedChanges, ReplayedRecord } from "../store/backend.js";
import { RowCursor } from "../store/row-cursor.js";
import type { NewRow } from "../store/row-layout.js";
import { ALIGNMENT, getUint64, HEAD, RECORD_HEAD_BYTES } from "./log-format.js";
import {
  aligned,
  COMPACTED,
  COMPACTED_BYTES,
  DELETES,
  FIRST_DELETE,
  FLAG,
  GRANTED_BYTES,
  headBytes,
  LAST_DELETE,
  LEASE_ENDED,
  LEASE_GRANTED,
  LEASE_ID_BYTES,
  LEASE_RENEWED,
  PUT,
  PUT_HEAD_BYTES,
} from "./record-layout.js";

const NO_BYTES = viewedBytes(new Uint8Array(0));

/**
 * Reads records, one after the other. What it gives is itself, as the record that was read last: a
 * start reads millions. Keys and values lie in the bytes that were read.
 */
export class RecordReader implements ReplayedRecord, ReplayedChanges {
  revision: Revision = 0;
  timeMs = 0;
  runningMs = 0;
  compactRevision: Revision | undefined;
  granted: GrantedLease[] = [];
  renewed: LeaseId[] = [];
  ended: LeaseId[] = [];
  length = 0;
  readonly #row = new RowCursor();
  #from: ViewedBytes = NO_BYTES;
  #start = 0;
  #end = 0;
  /** Where the next item stands, and the first change. */
  #at = 0;
  #firstChange = 0;
  /** The next change that is given, and where it stands. */
  #place = 0;
  #changeAt = 0;

  get changes(): ReplayedChanges {
    return this;
  }

  /**
   * The record in bytes[start, start + length), whose CRC is right.
   *
   * @throws RangeError when it could not have been written.
   */
  read(from: ViewedBytes, start: number, length: number): ReplayedRecord {
    const { view } = from;
    this.#from = from;
    this.#start = start;
    this.#end = start + length;
    this.revision = getUint64(view, start + HEAD.revision);
    this.timeMs = getUint64(view, start + HEAD.timeMs);
    this.runningMs = getUint64(view, start + HEAD.runningMs);
    this.compactRevision = undefined;
    if (this.granted.length > 0) this.granted = [];
    if (this.renewed.length > 0) this.renewed = [];
    if (this.ended.length > 0) this.ended = [];
    this.length = 0;
    this.#place = 0;
    this.#at = start + RECORD_HEAD_BYTES;
    for (let left = view.getUint32(start + HEAD.items, true); left > 0; left -= 1) this.#item();
    if (this.#at !== this.#end) throw new RangeError("a record is longer than its items");
    this.#changeAt = this.#firstChange;
    return this;
  }

  /** The next of its changes, which is checked already. */
  next(): NewRow {
    const { view } = this.#from;
    const row = this.#row;
    const at = this.#changeAt;
    const kind = view.getUint8(at + 6);
    const leased = view.getUint8(at + 7) === FLAG;
    const valueLength = view.getUint32(at, true);
    const keyLength = view.getUint16(at + 4, true);
    const keyAt = at + headBytes(kind, leased);
    row.revision = this.revision;
    row.place = this.#place;
    row.lieIn(this.#from, keyAt, keyLength, valueLength);
    if (kind === PUT) {
      const leaseId = leased ? view.getBigInt64(at + PUT_HEAD_BYTES, true) : NO_LEASE;
      row.setPut(getUint64(view, at + 16), getUint64(view, at + 24), leaseId);
    } else {
      row.setTombstone(DELETES[kind - FIRST_DELETE] as DeleteReason);
    }
    this.#place += 1;
    this.#changeAt = this.#start + aligned(keyAt - this.#start + keyLength + valueLength);
    return row;
  }

  #item(): void {
    this.#need(LEASE_ID_BYTES);
    const { view } = this.#from;
    const kind = view.getUint8(this.#at + 6);
    const flags = view.getUint8(this.#at + 7);
    if (flags > FLAG) throw new RangeError(`an item has the flags ${flags}`);
    switch (kind) {
      case LEASE_GRANTED: {
        this.#need(GRANTED_BYTES);
        const ttlMs = getUint64(view, this.#at + 16);
        this.granted.push({ id: this.#leaseId(), ttlMs, ofPut: flags === FLAG });
        this.#at += GRANTED_BYTES;
        return;
      }
      case LEASE_RENEWED:
        this.renewed.push(this.#leaseId());
        this.#at += LEASE_ID_BYTES;
        return;
      case LEASE_ENDED:
        this.ended.push(this.#leaseId());
        this.#at += LEASE_ID_BYTES;
        return;
      case COMPACTED:
        this.compactRevision = getUint64(view, this.#at + 8);
        this.#at += COMPACTED_BYTES;
        return;
      default:
        if (kind < PUT || kind > LAST_DELETE) throw new RangeError(`no item is of kind ${kind}`);
        this.#change(kind, flags === FLAG);
    }
  }

  /** Checks a change, and goes on behind it. Changes follow each other. */
  #change(kind: number, leased: boolean): void {
    const { view } = this.#from;
    const at = this.#at;
    const head = headBytes(kind, leased);
    const valueLength = view.getUint32(at, true);
    const keyLength = view.getUint16(at + 4, true);
    if (view.getUint32(at + 8, true) !== this.length) {
      throw new RangeError("the changes of a record are not in their order");
    }
    if (this.length === 0) this.#firstChange = at;
    else if (at !== this.#changeAt) throw new RangeError("something stands between two changes");
    if (view.getUint32(at + 12, true) * ALIGNMENT !== at - this.#start) {
      throw new RangeError("a change is not where it says");
    }
    if (keyLength === 0 || (kind !== PUT && (valueLength > 0 || leased))) {
      throw new RangeError("a change cannot be");
    }
    this.#at = this.#start + aligned(at - this.#start + head + keyLength + valueLength);
    if (this.#at > this.#end) throw new RangeError("a change is longer than its record");
    if (kind === PUT) {
      getUint64(view, at + 16);
      getUint64(view, at + 24);
    }
    this.length += 1;
    this.#changeAt = this.#at;
  }

  #leaseId(): LeaseId {
    return this.#from.view.getBigInt64(this.#at + 8, true);
  }

  #need(length: number): void {
    if (this.#at + length > this.#end) throw new RangeError("an item is cut");
  }
}
