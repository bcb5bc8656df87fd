// The answer of a batch as bytes, result by result, as the generated encoders would write it.
//
// It is written where it stays, behind the answers before it: memory is taken for several at once,
// since a buffer of its own for each cost as much as its encoding. The transport keeps what it is
// given until it has been sent, so nothing is written twice. The revision stands first in an answer
// and is known last: so there is room for it in front, and results begin behind that.

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { BatchResult } from "../../gen/grpc/kvd/v1/kv.js";
import type { DirectEntry } from "../kv/direct.js";
import { NO_LEASE, type Revision } from "../kv/types.js";
import { int64Bytes, varintBytes, writeInt64, writeVarint } from "../lib/varint.js";
import { copyViewed, viewedBytes } from "../lib/viewed-bytes.js";
import type { BatchPlan } from "./batch-plan.js";
import type { BatchTags } from "./batch-shape.js";

/** For an id and a revision with their tags. */
const FRONT_BYTES = 24;
/** What a result takes at most besides key and value: 6 lengths, 5 numbers, and their tags. */
const RESULT_MAX_BYTES = 128;

/** What an answer that its peer does not take can hold in vain. */
const ROOM_BYTES = 32 * 1024;
/** An answer is expected to be as large as the one before it, within these. */
const EXPECTED_MIN_BYTES = 1024;
const EXPECTED_MAX_BYTES = 1024 * 1024;

/** Tags of BatchResult; put and delete have the same as operations. */
const GET = 0x0a;
const PUT = 0x12;
const DELETE = 0x1a;
/** The first field of every response, and the second, if that is a message or a number. */
const REVISION = 0x08;
const KV = 0x12;
const DELETED = 0x10;
/** Tags of KeyValue. */
const KEY = 0x0a;
const RAW_KEY = 0x12;
const VALUE = 0x1a;
const CREATE_REVISION = 0x20;
const MOD_REVISION = 0x28;
const VERSION = 0x30;
const LEASE_ID = 0x38;

export class BatchAnswer {
  readonly #tags: BatchTags;
  #out = newRoom(ROOM_BYTES);
  /** Where the answer has its room in front, and where it goes on. */
  #start = 0;
  #at = 0;
  #expected = EXPECTED_MIN_BYTES;
  /** For what is encoded by generated code. */
  readonly #writer = new BinaryWriter();

  constructor(tags: BatchTags) {
    this.#tags = tags;
  }

  begin(): void {
    const expected = Math.min(this.#expected, EXPECTED_MAX_BYTES);
    if (this.#out.bytes.length - this.#at < expected) {
      this.#out = newRoom(Math.max(ROOM_BYTES, expected));
      this.#at = 0;
    }
    this.#start = this.#at;
    this.#at += FRONT_BYTES;
  }

  /** Of a get that found nothing. */
  absent(revision: Revision): void {
    this.#revisionAlone(GET, revision);
  }

  put(revision: Revision): void {
    this.#revisionAlone(PUT, revision);
  }

  deleted(revision: Revision, count: number): void {
    if (count === 0) {
      this.#revisionAlone(DELETE, revision);
      return;
    }
    this.#reserve(RESULT_MAX_BYTES);
    const out = this.#out.bytes;
    const at = this.#open(DELETE, 2 + varintBytes(revision) + varintBytes(count));
    this.#at = writeField(out, writeField(out, at, REVISION, revision), DELETED, count);
  }

  /** Of a get that found this; its key is that of the plan's operation. */
  found(revision: Revision, plan: BatchPlan, entry: DirectEntry): void {
    const { keyStart, keyEnd } = plan;
    const { valueStart, valueEnd, createRevision, modRevision, version, leaseId } = entry;
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    let kv = 4 + varintBytes(keyBytes) + keyBytes;
    kv += varintBytes(createRevision) + varintBytes(modRevision) + varintBytes(version);
    if (valueBytes > 0) kv += 1 + varintBytes(valueBytes) + valueBytes;
    if (leaseId !== NO_LEASE) kv += 1 + int64Bytes(leaseId);
    this.#reserve(kv + RESULT_MAX_BYTES);
    const out = this.#out.bytes;
    let at = this.#open(GET, 2 + varintBytes(revision) + varintBytes(kv) + kv);
    at = writeField(out, at, REVISION, revision);
    at = writeField(out, at, KV, kv);
    at = writeField(out, at, plan.isText ? KEY : RAW_KEY, keyBytes);
    copyViewed(this.#out, at, plan.source, keyStart, keyEnd);
    at += keyBytes;
    if (valueBytes > 0) {
      at = writeField(out, at, VALUE, valueBytes);
      copyViewed(this.#out, at, entry.source, valueStart, valueEnd);
      at += valueBytes;
    }
    at = writeField(out, at, CREATE_REVISION, createRevision);
    at = writeField(out, at, MOD_REVISION, modRevision);
    at = writeField(out, at, VERSION, version);
    if (leaseId !== NO_LEASE) {
      out[at] = LEASE_ID;
      at = writeInt64(out, at + 1, leaseId);
    }
    this.#at = at;
  }

  /** Any result, by the generated encoder. */
  other(result: BatchResult): void {
    const bytes = BatchResult.encode(result, this.#writer).finish();
    this.#reserve(bytes.length + RESULT_MAX_BYTES);
    const out = this.#out.bytes;
    const at = writeField(out, this.#at, this.#tags.resultTag, bytes.length);
    out.set(bytes, at);
    this.#at = at + bytes.length;
  }

  /** The whole answer, with the id as it stands in the request. */
  finish(revision: Revision, { source, idStart, idEnd }: BatchPlan): Buffer {
    const out = this.#out.bytes;
    const idBytes = idEnd === idStart ? 0 : 1 + idEnd - idStart;
    const start = this.#start + FRONT_BYTES - idBytes - 1 - varintBytes(revision);
    if (idBytes > 0) {
      out[start] = this.#tags.idTag;
      copyViewed(this.#out, start + 1, source, idStart, idEnd);
    }
    writeField(out, start + idBytes, this.#tags.revisionTag, revision);
    const answer = out.subarray(start, this.#at);
    this.#expected = Math.max(EXPECTED_MIN_BYTES, answer.length + RESULT_MAX_BYTES * 2);
    // What is left behind a large answer is not used, so that nothing small holds all of it.
    if (out.length > ROOM_BYTES) this.#at = out.length;
    return answer;
  }

  #revisionAlone(tag: number, revision: Revision): void {
    this.#reserve(RESULT_MAX_BYTES);
    const at = this.#open(tag, 1 + varintBytes(revision));
    this.#at = writeField(this.#out.bytes, at, REVISION, revision);
  }

  /** Begins a result whose member, `tag`, has so many bytes; gives where those begin. */
  #open(tag: number, bytes: number): number {
    const out = this.#out.bytes;
    const at = writeField(out, this.#at, this.#tags.resultTag, 1 + varintBytes(bytes) + bytes);
    return writeField(out, at, tag, bytes);
  }

  #reserve(bytes: number): void {
    const { bytes: out } = this.#out;
    if (this.#at + bytes <= out.length) return;
    const used = this.#at - this.#start;
    this.#out = newRoom(Math.max(ROOM_BYTES, 2 * (used + bytes)));
    out.copy(this.#out.bytes, 0, this.#start, this.#at);
    this.#start = 0;
    this.#at = used;
  }
}

interface Room {
  readonly bytes: Buffer;
  readonly view: DataView;
}

function newRoom(bytes: number): Room {
  const room = Buffer.allocUnsafeSlow(bytes);
  return { ...viewedBytes(room), bytes: room };
}

/** A tag and a number: a field of its own, or the beginning of one that has so many bytes. */
function writeField(out: Uint8Array, at: number, tag: number, value: number): number {
  out[at] = tag;
  return writeVarint(out, at + 1, value);
}
