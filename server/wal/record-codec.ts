// Records as bytes; see docs/format.md, The log. A record is a head and items: what leases began,
// were renewed and ended, what changed, what was compacted.

import type { DeleteReason, LeaseId, Revision } from "../kv/types.js";
import { NO_LEASE } from "../kv/types.js";
import { copyViewed, type ViewedBytes } from "../lib/viewed-bytes.js";
import type { GrantedLease, LogRecord, ReplayedChange, ReplayedRecord } from "../store/backend.js";
import type { Row } from "../store/row-layout.js";
import type { Rows } from "../store/rows.js";
import { tombstone, type Version } from "../store/version.js";
import {
  ALIGNMENT,
  HEAD,
  RECORD_HEAD_BYTES,
  readUint64,
  recordCrc,
  type SegmentKeys,
  setUint64,
} from "./log-format.js";

const PUT = 1;
/** By their place: 2, 3, 4. */
const DELETES: readonly DeleteReason[] = ["deleted", "expired", "revoked"];
const FIRST_DELETE = 2;
const LAST_DELETE = 4;
const LEASE_GRANTED = 5;
const LEASE_RENEWED = 6;
const LEASE_ENDED = 7;
const COMPACTED = 8;

/** Of a put: it names a lease. Of a granted lease: it was granted with a put. */
const FLAG = 1;

const PUT_HEAD_BYTES = 32;
const DELETE_HEAD_BYTES = 16;
const GRANTED_BYTES = 24;
const LEASE_ID_BYTES = 16;
const COMPACTED_BYTES = 16;

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
  const { bytes, view } = to;
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
  const crc = recordCrc(bytes, start, { length, salt: frame.keys.salt });
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

/**
 * The record in `bytes`, which are all of it, and whose CRC is right. Keys and values are views.
 *
 * @throws RangeError.
 */
export function decodeRecord(bytes: Buffer): ReplayedRecord {
  const revision = readUint64(bytes, HEAD.revision);
  const items = new ItemReader(bytes, revision);
  const count = bytes.readUInt32LE(HEAD.items);
  for (let item = 0; item < count; item += 1) items.read();
  if (items.at !== bytes.length) throw new RangeError("a record is longer than its items");
  return {
    revision,
    timeMs: readUint64(bytes, HEAD.timeMs),
    runningMs: readUint64(bytes, HEAD.runningMs),
    compactRevision: items.compactRevision,
    granted: items.granted,
    renewed: items.renewed,
    ended: items.ended,
    changes: items.changes,
  };
}

class ItemReader {
  readonly #bytes: Buffer;
  readonly #revision: Revision;
  at = RECORD_HEAD_BYTES;
  compactRevision: Revision | undefined;
  readonly granted: GrantedLease[] = [];
  readonly renewed: LeaseId[] = [];
  readonly ended: LeaseId[] = [];
  readonly changes: ReplayedChange[] = [];

  constructor(bytes: Buffer, revision: Revision) {
    this.#bytes = bytes;
    this.#revision = revision;
  }

  read(): void {
    this.#need(LEASE_ID_BYTES);
    const kind = this.#bytes[this.at + 6] as number;
    const flags = this.#bytes[this.at + 7] as number;
    if (flags > FLAG) throw new RangeError(`an item has the flags ${flags}`);
    switch (kind) {
      case LEASE_GRANTED:
        this.#need(GRANTED_BYTES);
        this.granted.push({
          id: this.#leaseId(),
          ttlMs: readUint64(this.#bytes, this.at + 16),
          ofPut: flags === FLAG,
        });
        this.at += GRANTED_BYTES;
        return;
      case LEASE_RENEWED:
        this.renewed.push(this.#leaseId());
        this.at += LEASE_ID_BYTES;
        return;
      case LEASE_ENDED:
        this.ended.push(this.#leaseId());
        this.at += LEASE_ID_BYTES;
        return;
      case COMPACTED:
        this.compactRevision = readUint64(this.#bytes, this.at + 8);
        this.at += COMPACTED_BYTES;
        return;
      default:
        if (kind < PUT || kind > LAST_DELETE) throw new RangeError(`no item is of kind ${kind}`);
        this.#change(kind, flags === FLAG);
    }
  }

  #change(kind: number, leased: boolean): void {
    const bytes = this.#bytes;
    const { at } = this;
    const valueLength = bytes.readUInt32LE(at);
    const keyLength = bytes.readUInt16LE(at + 4);
    const place = this.changes.length;
    if (bytes.readUInt32LE(at + 8) !== place) {
      throw new RangeError("the changes of a record are not in their order");
    }
    if (bytes.readUInt32LE(at + 12) * ALIGNMENT !== at) {
      throw new RangeError("a change is not where it says");
    }
    const isPut = kind === PUT;
    if (keyLength === 0 || (!isPut && (valueLength > 0 || leased))) {
      throw new RangeError("a change cannot be");
    }
    const head = (isPut ? PUT_HEAD_BYTES : DELETE_HEAD_BYTES) + (leased ? ALIGNMENT : 0);
    const keyAt = at + head;
    const end = keyAt + keyLength + valueLength;
    this.at = aligned(end);
    if (this.at > bytes.length) throw new RangeError("a change is longer than its record");
    const key = bytes.subarray(keyAt, keyAt + keyLength);
    if (!isPut) {
      const reason = DELETES[kind - FIRST_DELETE] as DeleteReason;
      this.changes.push({ key, version: tombstone({ revision: this.#revision, place }, reason) });
      return;
    }
    const version: Version = {
      revision: this.#revision,
      place,
      createRevision: readUint64(bytes, at + 16),
      version: readUint64(bytes, at + 24),
      value: bytes.subarray(keyAt + keyLength, end),
      leaseId: leased ? bytes.readBigInt64LE(at + PUT_HEAD_BYTES) : NO_LEASE,
      deleted: undefined,
    };
    this.changes.push({ key, version });
  }

  #leaseId(): LeaseId {
    return this.#bytes.readBigInt64LE(this.at + 8);
  }

  #need(length: number): void {
    if (this.at + length > this.#bytes.length) throw new RangeError("an item is cut");
  }
}

function changeBytes(rows: Rows, row: Row): number {
  const head = rows.isPut(row) ? PUT_HEAD_BYTES : DELETE_HEAD_BYTES;
  const lease = rows.isLeased(row) ? ALIGNMENT : 0;
  return aligned(head + lease + rows.keyLengthOf(row) + rows.valueLengthOf(row));
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
