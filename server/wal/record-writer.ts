// Records as bytes.

import type { LeaseId, Revision } from "../kv/types.js";
import { copyViewed, type ViewedBytes } from "../lib/viewed-bytes.js";
import type { GrantedLease, LogRecord } from "../store/backend.js";
import type { Row } from "../store/row-layout.js";
import type { Rows } from "../store/rows.js";
import {
  ALIGNMENT,
  HEAD,
  RECORD_HEAD_BYTES,
  recordCrc,
  type SegmentKeys,
  setUint64,
} from "./log-format.js";
import {
  aligned,
  COMPACTED,
  COMPACTED_BYTES,
  DELETE_HEAD_BYTES,
  DELETES,
  FIRST_DELETE,
  FLAG,
  GRANTED_BYTES,
  headBytes,
  LEASE_ENDED,
  LEASE_GRANTED,
  LEASE_ID_BYTES,
  LEASE_RENEWED,
  PUT,
} from "./record-layout.js";

/** What stands in a record besides what happened. */
export interface RecordFrame {
  readonly keys: SegmentKeys;
  /** The CRC of the record before it. */
  readonly previousCrc: number;
  readonly runningMs: number;
  /** Bytes before it that were not known to be synced when it was written. */
  readonly unsynced: number;
}

export function recordBytes(record: LogRecord): number {
  let bytes = RECORD_HEAD_BYTES;
  bytes += record.granted.length * GRANTED_BYTES;
  bytes += (record.renewed.length + record.ended.length) * LEASE_ID_BYTES;
  if (record.compactRevision !== undefined) bytes += COMPACTED_BYTES;
  const { rows, first, length } = record.changes;
  let row = first;
  for (let left = length; left > 0; left -= 1) {
    bytes += changeBytes(rows, row);
    if (left > 1) row = rows.after(row);
  }
  return bytes;
}

/** Writes a record at `start`, where there is room; its CRC. (bench: batch-durable.) */
export function encodeRecord(
  to: ViewedBytes,
  start: number,
  record: LogRecord,
  frame: RecordFrame,
): number {
  const { view } = to;
  const items = new ItemWriter(to, start);
  if (record.compactRevision !== undefined) items.compacted(record.compactRevision);
  for (const lease of record.granted) items.granted(lease);
  for (const id of record.renewed) items.lease(LEASE_RENEWED, id);
  const { rows, first, length: changes } = record.changes;
  let row = first;
  for (let left = changes; left > 0; left -= 1) {
    items.change(rows, row);
    if (left > 1) row = rows.after(row);
  }
  for (const id of record.ended) items.lease(LEASE_ENDED, id);
  const length = items.at - start;
  view.setUint32(start + HEAD.sync, frame.keys.syncWord, true);
  view.setUint32(start + HEAD.length, length, true);
  view.setUint32(start + HEAD.previousCrc, frame.previousCrc, true);
  setUint64(view, record.timeMs, start + HEAD.timeMs);
  setUint64(view, record.revision, start + HEAD.revision);
  setUint64(view, frame.runningMs, start + HEAD.runningMs);
  view.setUint32(start + HEAD.unsynced, frame.unsynced, true);
  view.setUint32(start + HEAD.items, items.count, true);
  const crc = recordCrc(view, start, { length, salt: frame.keys.salt });
  view.setUint32(start + HEAD.crc, crc, true);
  return crc;
}

class ItemWriter {
  readonly #to: ViewedBytes;
  readonly #start: number;
  at: number;
  count = 0;

  constructor(to: ViewedBytes, start: number) {
    this.#to = to;
    this.#start = start;
    this.at = start + RECORD_HEAD_BYTES;
  }

  compacted(revision: Revision): void {
    this.#begin(COMPACTED, 0);
    setUint64(this.#to.view, revision, this.at + 8);
    this.at += COMPACTED_BYTES;
  }

  granted({ id, ttlMs, ofPut }: GrantedLease): void {
    this.#begin(LEASE_GRANTED, ofPut ? FLAG : 0);
    this.#to.view.setBigInt64(this.at + 8, id, true);
    setUint64(this.#to.view, ttlMs, this.at + 16);
    this.at += GRANTED_BYTES;
  }

  lease(kind: number, id: LeaseId): void {
    this.#begin(kind, 0);
    this.#to.view.setBigInt64(this.at + 8, id, true);
    this.at += LEASE_ID_BYTES;
  }

  change(rows: Rows, row: Row): void {
    const { at } = this;
    const { bytes, view } = this.#to;
    const deleted = rows.deletedOf(row);
    const leased = rows.isLeased(row);
    const kind = deleted === undefined ? PUT : FIRST_DELETE + DELETES.indexOf(deleted);
    const keyLength = rows.keyLengthOf(row);
    const valueLength = rows.valueLengthOf(row);
    this.#begin(kind, leased ? FLAG : 0);
    view.setUint32(at, valueLength, true);
    view.setUint16(at + 4, keyLength, true);
    view.setUint32(at + 8, rows.placeOf(row), true);
    view.setUint32(at + 12, (at - this.#start) / ALIGNMENT, true);
    this.at += DELETE_HEAD_BYTES;
    if (deleted === undefined) {
      setUint64(view, rows.createRevisionOf(row), at + 16);
      setUint64(view, rows.versionOf(row), at + 24);
      this.at += DELETE_HEAD_BYTES;
      if (leased) {
        view.setBigInt64(this.at, rows.leaseIdOf(row), true);
        this.at += ALIGNMENT;
      }
    }
    // The value follows the key in both.
    const from = rows.keyStartOf(row);
    copyViewed(this.#to, this.at, rows.sourceOf(row), from, from + keyLength + valueLength);
    const end = this.at + keyLength + valueLength;
    this.at = aligned(end);
    for (let index = end; index < this.at; index += 1) bytes[index] = 0;
  }

  #begin(kind: number, flags: number): void {
    this.count += 1;
    const { view } = this.#to;
    view.setUint32(this.at, 0);
    view.setUint16(this.at + 4, 0);
    view.setUint8(this.at + 6, kind);
    view.setUint8(this.at + 7, flags);
  }
}

function changeBytes(rows: Rows, row: Row): number {
  const head = headBytes(rows.isPut(row) ? PUT : FIRST_DELETE, rows.isLeased(row));
  return aligned(head + rows.keyLengthOf(row) + rows.valueLengthOf(row));
}
