// The items of an image as bytes; see docs/format.md, Snapshots.

import { type DeleteReason, NO_LEASE, type Revision } from "../kv/types.js";
import type { ByteReader } from "../lib/byte-reader.js";
import type { ByteWriter } from "../lib/byte-writer.js";
import type { GrantedLease } from "../store/backend.js";
import type { ImageTarget } from "../store/image.js";
import { RowCursor } from "../store/row-cursor.js";
import type { NewRow } from "../store/row-layout.js";
import { BLOCK_BYTES, type SnapshotCounts } from "./snapshot-format.js";

const LEASE = 1;
const ENTRY = 2;
const COMMIT = 3;
const PUT = 4;
/** By their place: 5, 6, 7. */
const DELETES: readonly DeleteReason[] = ["deleted", "expired", "revoked"];
const FIRST_DELETE = 5;

/** Before it, snapshots had no places of entries: 0 stands for them. */
const FIRST_WITH_PLACES = 2;

const PLACE_MAX = 2 ** 32 - 1;

/** Writes items as the newest version of the format has them; full when a block is. */
export class ItemWriter implements ImageTarget {
  readonly counts = { leases: 0, entries: 0, commits: 0, changes: 0 };
  readonly #to: ByteWriter;

  constructor(to: ByteWriter) {
    this.#to = to;
  }

  get isFull(): boolean {
    return this.#to.length >= BLOCK_BYTES;
  }

  lease(lease: GrantedLease, remainingMs: number): void {
    this.counts.leases += 1;
    const to = this.#to;
    to.byte(LEASE);
    to.int64(lease.id);
    to.varint(lease.ttlMs);
    to.varint(remainingMs);
    to.byte(Number(lease.ofPut));
  }

  entry(row: NewRow): void {
    this.counts.entries += 1;
    this.#to.byte(ENTRY);
    this.#to.varint(row.revision);
    this.#to.varint(row.place);
    this.#put(row);
  }

  commit(revision: Revision, timeMs: number, changes: number): void {
    this.counts.commits += 1;
    const to = this.#to;
    to.byte(COMMIT);
    to.varint(revision);
    to.varint(timeMs);
    to.varint(changes);
  }

  change(row: NewRow): void {
    this.counts.changes += 1;
    if (row.deleted === undefined) {
      this.#to.byte(PUT);
      this.#put(row);
    } else {
      this.#to.byte(FIRST_DELETE + DELETES.indexOf(row.deleted));
      this.#to.varint(row.keyEnd - row.keyStart);
      this.#to.part(row.key, row.keyStart, row.keyEnd);
    }
  }

  #put(row: NewRow): void {
    const to = this.#to;
    to.varint(row.createRevision);
    to.varint(row.version);
    to.int64(row.leaseId);
    to.varint(row.keyEnd - row.keyStart);
    to.part(row.key, row.keyStart, row.keyEnd);
    to.varint(row.valueEnd - row.valueStart);
    to.part(row.value, row.valueStart, row.valueEnd);
  }
}

/** Reads items one after the other. */
export class ItemReader {
  readonly #counts = { leases: 0, entries: 0, commits: 0, changes: 0 };
  readonly #hasPlaces: boolean;
  readonly #target: ImageTarget;
  readonly #row = new RowCursor();
  /** Of the commit whose changes come, and the place of the next. */
  #revision: Revision = 0;
  #place = 0;

  constructor(formatVersion: number, target: ImageTarget) {
    this.#hasPlaces = formatVersion >= FIRST_WITH_PLACES;
    this.#target = target;
  }

  /** How many it has read. */
  get counts(): SnapshotCounts {
    return this.#counts;
  }

  /** Gives the next item to the target. @throws RangeError. */
  read(from: ByteReader): void {
    const tag = from.byte();
    switch (tag) {
      case LEASE:
        this.#lease(from);
        return;
      case ENTRY:
        this.#entry(from);
        return;
      case COMMIT:
        this.#counts.commits += 1;
        this.#revision = from.varint();
        this.#place = 0;
        this.#target.commit(this.#revision, from.varint(), from.varint());
        return;
      default:
        this.#change(from, tag);
    }
  }

  #lease(from: ByteReader): void {
    this.#counts.leases += 1;
    const id = from.int64();
    const ttlMs = from.varint();
    const remainingMs = from.varint();
    const flag = from.byte();
    if (flag > 1) throw new RangeError(`a lease has the flag ${flag}`);
    this.#target.lease({ id, ttlMs, ofPut: flag === 1 }, remainingMs);
  }

  #entry(from: ByteReader): void {
    this.#counts.entries += 1;
    const row = this.#row;
    row.revision = from.varint();
    row.place = this.#hasPlaces ? from.varint() : 0;
    if (row.place > PLACE_MAX) throw new RangeError("an entry has a place that none can have");
    this.#put(from);
    this.#target.entry(row);
  }

  #change(from: ByteReader, tag: number): void {
    this.#counts.changes += 1;
    const row = this.#row;
    row.revision = this.#revision;
    row.place = this.#place;
    this.#place += 1;
    if (tag === PUT) {
      this.#put(from);
    } else {
      const reason = DELETES[tag - FIRST_DELETE];
      if (reason === undefined) throw new RangeError(`there is no item of the kind ${tag}`);
      const keyLength = from.varint();
      row.lieIn(from, from.skip(keyLength), keyLength, 0);
      row.setTombstone(reason);
    }
    this.#target.change(row);
  }

  #put(from: ByteReader): void {
    const row = this.#row;
    const createRevision = from.varint();
    const version = from.varint();
    if (createRevision === 0 || createRevision > row.revision || version === 0) {
      throw new RangeError("an entry cannot be");
    }
    row.setPut(createRevision, version, leaseIdAt(from));
    const keyLength = from.varint();
    const keyStart = from.skip(keyLength);
    const valueLength = from.varint();
    const valueStart = from.skip(valueLength);
    row.lieIn(from, keyStart, keyLength, valueLength);
    row.valueStart = valueStart;
    row.valueEnd = valueStart + valueLength;
  }
}

/** Most have none: a bigint a key would be for the garbage collector. */
function leaseIdAt(from: ByteReader): bigint {
  const { view } = from;
  const at = from.skip(8);
  const isNone = view.getInt32(at) === 0 && view.getInt32(at + 4) === 0;
  return isNone ? NO_LEASE : view.getBigInt64(at);
}
