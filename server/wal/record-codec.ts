// Records as bytes; see docs/format.md, The log. A record is a head and items: what leases began,
// were renewed and ended, what changed, what was compacted.

import type { DeleteReason, LeaseId, Revision } from "../kv/types.js";
import { NO_LEASE } from "../kv/types.js";
import type { GrantedLease, LogRecord, ReplayedChange, ReplayedRecord } from "../store/backend.js";
import type { Row, Rows } from "../store/rows.js";
import { tombstone, type Version } from "../store/version.js";
import {
  ALIGNMENT,
  HEAD,
  RECORD_HEAD_BYTES,
  readUint64,
  recordCrc,
  type SegmentKeys,
  writeUint64,
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

/** Writes a record at `start`, where there is room; its CRC. */
export function encodeRecord(
  bytes: Buffer,
  start: number,
  record: LogRecord,
  frame: RecordFrame,
): number {
  const items = new ItemWriter(bytes, start);
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
  bytes.writeUInt32LE(frame.keys.syncWord, start + HEAD.sync);
  bytes.writeUInt32LE(length, start + HEAD.length);
  bytes.writeUInt32LE(frame.previousCrc, start + HEAD.previousCrc);
  writeUint64(bytes, record.timeMs, start + HEAD.timeMs);
  writeUint64(bytes, record.revision, start + HEAD.revision);
  writeUint64(bytes, frame.runningMs, start + HEAD.runningMs);
  bytes.writeUInt32LE(frame.unsynced, start + HEAD.unsynced);
  bytes.writeUInt32LE(items.count, start + HEAD.items);
  const crc = recordCrc(bytes, start, { length, salt: frame.keys.salt });
  bytes.writeUInt32LE(crc, start + HEAD.crc);
  return crc;
}

class ItemWriter {
  readonly #bytes: Buffer;
  readonly #start: number;
  at: number;
  count = 0;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.at = start + RECORD_HEAD_BYTES;
  }

  compacted(revision: Revision): void {
    this.#begin(COMPACTED, 0);
    writeUint64(this.#bytes, revision, this.at + 8);
    this.at += COMPACTED_BYTES;
  }

  granted({ id, ttlMs, ofPut }: GrantedLease): void {
    this.#begin(LEASE_GRANTED, ofPut ? FLAG : 0);
    this.#bytes.writeBigInt64LE(id, this.at + 8);
    writeUint64(this.#bytes, ttlMs, this.at + 16);
    this.at += GRANTED_BYTES;
  }

  lease(kind: number, id: LeaseId): void {
    this.#begin(kind, 0);
    this.#bytes.writeBigInt64LE(id, this.at + 8);
    this.at += LEASE_ID_BYTES;
  }

  change(rows: Rows, row: Row): void {
    const { at } = this;
    const bytes = this.#bytes;
    const deleted = rows.deletedOf(row);
    const leased = rows.isLeased(row);
    const kind = deleted === undefined ? PUT : FIRST_DELETE + DELETES.indexOf(deleted);
    const keyLength = rows.keyLengthOf(row);
    const valueLength = rows.valueLengthOf(row);
    this.#begin(kind, leased ? FLAG : 0);
    bytes.writeUInt32LE(valueLength, at);
    bytes.writeUInt16LE(keyLength, at + 4);
    bytes.writeUInt32LE(rows.placeOf(row), at + 8);
    bytes.writeUInt32LE((at - this.#start) / ALIGNMENT, at + 12);
    this.at += DELETE_HEAD_BYTES;
    if (deleted === undefined) {
      writeUint64(bytes, rows.createRevisionOf(row), at + 16);
      writeUint64(bytes, rows.versionOf(row), at + 24);
      this.at += DELETE_HEAD_BYTES;
      if (leased) {
        bytes.writeBigInt64LE(rows.leaseIdOf(row), this.at);
        this.at += ALIGNMENT;
      }
    }
    // The value follows the key in both.
    const from = rows.keyStartOf(row);
    bytes.set(rows.bytesOf(row).subarray(from, from + keyLength + valueLength), this.at);
    const end = this.at + keyLength + valueLength;
    this.at = aligned(end);
    bytes.fill(0, end, this.at);
  }

  #begin(kind: number, flags: number): void {
    this.count += 1;
    this.#bytes.writeUInt32LE(0, this.at);
    this.#bytes.writeUInt16LE(0, this.at + 4);
    this.#bytes[this.at + 6] = kind;
    this.#bytes[this.at + 7] = flags;
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
