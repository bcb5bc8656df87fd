// Records as bytes.

import { type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import { copyViewed, type ViewedBytes, viewedBytes } from "../lib/viewed-bytes.js";
import type { GrantedLease, LogRecord } from "../store/backend.js";
import { RowCursor } from "../store/row-cursor.js";
import type { NewRow, Row } from "../store/row-layout.js";
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

const NO_BYTES = viewedBytes(new Uint8Array(0));

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

/** Writes records, one after the other: one object for all of them. (bench: batch-durable.) */
export class RecordWriter {
  #to: ViewedBytes = NO_BYTES;
  #start = 0;
  #at = 0;
  #items = 0;
  readonly #row = new RowCursor();

  /** Writes a record at `start`, where there is room; its CRC. */
  write(to: ViewedBytes, start: number, record: LogRecord, frame: RecordFrame): number {
    this.#to = to;
    this.#start = start;
    this.#at = start + RECORD_HEAD_BYTES;
    this.#items = 0;
    if (record.compactRevision !== undefined) this.#compacted(record.compactRevision);
    for (const lease of record.granted) this.#granted(lease);
    for (const id of record.renewed) this.#lease(LEASE_RENEWED, id);
    const { rows, first, length: changes } = record.changes;
    let row = first;
    for (let left = changes; left > 0; left -= 1) {
      rows.read(row, this.#row);
      this.#change(this.#row, rows.sourceOf(row));
      if (left > 1) row = rows.after(row);
    }
    for (const id of record.ended) this.#lease(LEASE_ENDED, id);
    return this.#head(record, frame);
  }

  #head(record: LogRecord, frame: RecordFrame): number {
    const { view } = this.#to;
    const start = this.#start;
    const length = this.#at - start;
    view.setUint32(start + HEAD.sync, frame.keys.syncWord, true);
    view.setUint32(start + HEAD.length, length, true);
    view.setUint32(start + HEAD.previousCrc, frame.previousCrc, true);
    setUint64(view, record.timeMs, start + HEAD.timeMs);
    setUint64(view, record.revision, start + HEAD.revision);
    setUint64(view, frame.runningMs, start + HEAD.runningMs);
    view.setUint32(start + HEAD.unsynced, frame.unsynced, true);
    view.setUint32(start + HEAD.items, this.#items, true);
    const crc = recordCrc(view, start, { length, salt: frame.keys.salt });
    view.setUint32(start + HEAD.crc, crc, true);
    return crc;
  }

  #compacted(revision: Revision): void {
    this.#begin(COMPACTED, 0);
    setUint64(this.#to.view, revision, this.#at + 8);
    this.#at += COMPACTED_BYTES;
  }

  #granted({ id, ttlMs, ofPut }: GrantedLease): void {
    this.#begin(LEASE_GRANTED, ofPut ? FLAG : 0);
    this.#to.view.setBigInt64(this.#at + 8, id, true);
    setUint64(this.#to.view, ttlMs, this.#at + 16);
    this.#at += GRANTED_BYTES;
  }

  #lease(kind: number, id: LeaseId): void {
    this.#begin(kind, 0);
    this.#to.view.setBigInt64(this.#at + 8, id, true);
    this.#at += LEASE_ID_BYTES;
  }

  /** The value follows the key in `source`, as it does in a record. */
  #change(row: NewRow, source: ViewedBytes): void {
    const at = this.#at;
    const { bytes, view } = this.#to;
    const { deleted, keyStart, valueEnd } = row;
    const leased = row.leaseId !== NO_LEASE;
    const kind = deleted === undefined ? PUT : FIRST_DELETE + DELETES.indexOf(deleted);
    this.#begin(kind, leased ? FLAG : 0);
    view.setUint32(at, valueEnd - row.valueStart, true);
    view.setUint16(at + 4, row.keyEnd - keyStart, true);
    view.setUint32(at + 8, row.place, true);
    view.setUint32(at + 12, (at - this.#start) / ALIGNMENT, true);
    if (deleted === undefined) {
      setUint64(view, row.createRevision, at + 16);
      setUint64(view, row.version, at + 24);
      if (leased) view.setBigInt64(at + 32, row.leaseId, true);
    }
    const to = at + headBytes(kind, leased);
    copyViewed(this.#to, to, source, keyStart, valueEnd);
    const end = to + valueEnd - keyStart;
    this.#at = aligned(end);
    for (let index = end; index < this.#at; index += 1) bytes[index] = 0;
  }

  #begin(kind: number, flags: number): void {
    this.#items += 1;
    const { view } = this.#to;
    view.setUint32(this.#at, 0);
    view.setUint16(this.#at + 4, 0);
    view.setUint8(this.#at + 6, kind);
    view.setUint8(this.#at + 7, flags);
  }
}

function changeBytes(rows: Rows, row: Row): number {
  const head = headBytes(rows.isPut(row) ? PUT : FIRST_DELETE, rows.isLeased(row));
  return aligned(head + rows.keyLengthOf(row) + rows.valueLengthOf(row));
}
