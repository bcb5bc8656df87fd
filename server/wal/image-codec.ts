// The items of an image as bytes; see docs/format.md, Snapshots.

import type { DeleteReason } from "../kv/types.js";
import type { ByteReader } from "../lib/byte-reader.js";
import type { ByteWriter } from "../lib/byte-writer.js";
import { copyBytes } from "../lib/bytes.js";
import type { ImageItem } from "../store/image.js";
import { tombstone, type Version } from "../store/version.js";

const LEASE = 1;
const ENTRY = 2;
const COMMIT = 3;
const PUT = 4;
/** By their place: 5, 6, 7. */
const DELETES: readonly DeleteReason[] = ["deleted", "expired", "revoked"];
const FIRST_DELETE = 5;

export function writeItem(writer: ByteWriter, item: ImageItem): void {
  switch (item.kind) {
    case "lease":
      writer.byte(LEASE);
      writer.int64(item.lease.id);
      writer.varint(item.lease.ttlMs);
      writer.varint(item.remainingMs);
      writer.byte(Number(item.lease.ofPut));
      return;
    case "entry":
      writer.byte(ENTRY);
      writer.varint(item.version.revision);
      writeEntry(writer, item.key, item.version);
      return;
    case "commit":
      writer.byte(COMMIT);
      writer.varint(item.revision);
      writer.varint(item.timeMs);
      writer.varint(item.changes);
      return;
    case "change":
      writeChange(writer, item.key, item.version);
      return;
  }
}

function writeChange(writer: ByteWriter, key: Uint8Array, version: Version): void {
  if (version.deleted === undefined) {
    writer.byte(PUT);
    writeEntry(writer, key, version);
  } else {
    writer.byte(FIRST_DELETE + DELETES.indexOf(version.deleted));
    writer.bytes(key);
  }
}

function writeEntry(writer: ByteWriter, key: Uint8Array, version: Version): void {
  writer.varint(version.createRevision);
  writer.varint(version.version);
  writer.int64(version.leaseId);
  writer.bytes(key);
  writer.bytes(version.value);
}

/** Reads items one after the other: a change is of the commit that came before it. */
export class ItemReader {
  #revision = 0;

  /** The bytes of the item are its own. @throws RangeError. */
  read(reader: ByteReader): ImageItem {
    const tag = reader.byte();
    switch (tag) {
      case LEASE:
        return readLease(reader);
      case ENTRY:
        return { kind: "entry", ...readEntry(reader, reader.varint()) };
      case COMMIT: {
        const revision = reader.varint();
        this.#revision = revision;
        return { kind: "commit", revision, timeMs: reader.varint(), changes: reader.varint() };
      }
      case PUT:
        return { kind: "change", ...readEntry(reader, this.#revision) };
      default: {
        const reason = DELETES[tag - FIRST_DELETE];
        if (reason === undefined) throw new RangeError(`there is no item of the kind ${tag}`);
        const key = copyBytes(reader.bytes());
        return { kind: "change", key, version: tombstone(this.#revision, reason) };
      }
    }
  }
}

function readLease(reader: ByteReader): ImageItem {
  const id = reader.int64();
  const ttlMs = reader.varint();
  const remainingMs = reader.varint();
  const flag = reader.byte();
  if (flag > 1) throw new RangeError(`a lease has the flag ${flag}`);
  return { kind: "lease", lease: { id, ttlMs, ofPut: flag === 1 }, remainingMs };
}

function readEntry(reader: ByteReader, revision: number) {
  const createRevision = reader.varint();
  const count = reader.varint();
  const leaseId = reader.int64();
  const key = copyBytes(reader.bytes());
  const value = copyBytes(reader.bytes());
  if (createRevision > revision || count === 0) throw new RangeError("an entry cannot be");
  const version = { revision, createRevision, version: count, value, leaseId, deleted: undefined };
  return { key, version };
}
