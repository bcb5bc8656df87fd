// The items of an image as bytes; see docs/format.md, Snapshots.

import type { DeleteReason } from "../kv/types.js";
import type { ByteReader } from "../lib/byte-reader.js";
import type { ByteWriter } from "../lib/byte-writer.js";
import type { ImageItem } from "../store/image.js";
import { tombstone, type Version } from "../store/version.js";

const LEASE = 1;
const ENTRY = 2;
const COMMIT = 3;
const PUT = 4;
/** By their place: 5, 6, 7. */
const DELETES: readonly DeleteReason[] = ["deleted", "expired", "revoked"];
const FIRST_DELETE = 5;

/** Before it, snapshots had no places of entries: 0 stands for them. */
const FIRST_WITH_PLACES = 2;

type ChangePlace = Pick<Version, "revision" | "place">;

/** As the newest version of the format has it. */
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
      writer.varint(item.version.place);
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
  readonly #hasPlaces: boolean;
  #revision = 0;
  #place = 0;

  constructor(formatVersion: number) {
    this.#hasPlaces = formatVersion >= FIRST_WITH_PLACES;
  }

  /** The bytes of the item are views of the reader's. @throws RangeError. */
  read(reader: ByteReader): ImageItem {
    const tag = reader.byte();
    switch (tag) {
      case LEASE:
        return readLease(reader);
      case ENTRY: {
        const revision = reader.varint();
        const place = this.#hasPlaces ? reader.varint() : 0;
        return { kind: "entry", ...readEntry(reader, { revision, place }) };
      }
      case COMMIT: {
        const revision = reader.varint();
        this.#revision = revision;
        this.#place = 0;
        return { kind: "commit", revision, timeMs: reader.varint(), changes: reader.varint() };
      }
      case PUT:
        return { kind: "change", ...readEntry(reader, this.#next()) };
      default: {
        const reason = DELETES[tag - FIRST_DELETE];
        if (reason === undefined) throw new RangeError(`there is no item of the kind ${tag}`);
        const key = reader.bytes();
        return { kind: "change", key, version: tombstone(this.#next(), reason) };
      }
    }
  }

  /** Changes follow each other in their places. */
  #next(): ChangePlace {
    const place = this.#place;
    this.#place += 1;
    return { revision: this.#revision, place };
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

function readEntry(reader: ByteReader, { revision, place }: ChangePlace) {
  const createRevision = reader.varint();
  const count = reader.varint();
  const leaseId = reader.int64();
  const key = reader.bytes();
  const value = reader.bytes();
  if (createRevision > revision || count === 0) throw new RangeError("an entry cannot be");
  const version: Version = {
    revision,
    place,
    createRevision,
    version: count,
    value,
    leaseId,
    deleted: undefined,
  };
  return { key, version };
}
