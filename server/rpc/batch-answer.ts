// The answer of a batch as bytes, result by result, as the generated encoders would write it.
//
// One buffer grows and is used again and again; the answer is a copy of its own, because the
// transport keeps what it is given until it has been sent. The revision stands first in an answer
// and is known last: so there is room for it in front, and results begin behind that.

import { BatchResult } from "../../gen/grpc/kvd/v1/kv.js";
import type { DirectEntry } from "../kv/direct.js";
import { type LeaseId, NO_LEASE, type Revision } from "../kv/types.js";
import type { BatchPlan } from "./batch-plan.js";
import type { BatchTags } from "./batch-shape.js";

/** For an id and a revision with their tags. */
const FRONT_BYTES = 24;
/** What a result takes at most besides key and value: 6 lengths, 5 numbers, and their tags. */
const RESULT_MAX_BYTES = 128;

const FIRST_BYTES = 16 * 1024;
/** A buffer that had to become larger than this is not kept. */
const KEPT_MAX_BYTES = 1024 * 1024;

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
  #out = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = FRONT_BYTES;

  constructor(tags: BatchTags) {
    this.#tags = tags;
  }

  begin(): void {
    this.#at = FRONT_BYTES;
    if (this.#out.length > KEPT_MAX_BYTES) this.#out = Buffer.allocUnsafeSlow(FIRST_BYTES);
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
    const inner = 2 + varintBytes(revision) + varintBytes(count);
    this.#reserve(RESULT_MAX_BYTES);
    this.#open(DELETE, inner);
    this.#field(REVISION, revision);
    this.#field(DELETED, count);
  }

  /** Of a get that found this; its key is that of the plan's operation. */
  found(revision: Revision, plan: BatchPlan, entry: DirectEntry): void {
    const { keyStart, keyEnd, isText } = plan;
    const keyBytes = keyEnd - keyStart;
    const valueBytes = entry.valueEnd - entry.valueStart;
    this.#reserve(keyBytes + valueBytes + RESULT_MAX_BYTES);
    const { createRevision, modRevision, version, leaseId } = entry;
    let kv = 1 + varintBytes(keyBytes) + keyBytes;
    if (valueBytes > 0) kv += 1 + varintBytes(valueBytes) + valueBytes;
    kv += 3 + varintBytes(createRevision) + varintBytes(modRevision) + varintBytes(version);
    if (leaseId !== NO_LEASE) kv += 1 + leaseVarintBytes(leaseId);
    this.#open(GET, 1 + varintBytes(revision) + 1 + varintBytes(kv) + kv);
    this.#field(REVISION, revision);
    this.#field(KV, kv);
    this.#field(isText ? KEY : RAW_KEY, keyBytes);
    this.#copy(plan.bytes, keyStart, keyEnd);
    if (valueBytes > 0) {
      this.#field(VALUE, valueBytes);
      this.#copy(entry.bytes, entry.valueStart, entry.valueEnd);
    }
    this.#field(CREATE_REVISION, createRevision);
    this.#field(MOD_REVISION, modRevision);
    this.#field(VERSION, version);
    if (leaseId !== NO_LEASE) this.#lease(leaseId);
  }

  /** Any result, by the generated encoder. */
  other(result: BatchResult): void {
    const bytes = BatchResult.encode(result).finish();
    this.#reserve(bytes.length + RESULT_MAX_BYTES);
    this.#field(this.#tags.resultTag, bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  /** The whole answer, with the id as it stands in the request. */
  finish(revision: Revision, { bytes, idStart, idEnd }: BatchPlan): Buffer {
    const end = this.#at;
    const idBytes = idEnd === idStart ? 0 : 1 + idEnd - idStart;
    const start = FRONT_BYTES - idBytes - 1 - varintBytes(revision);
    this.#at = start;
    if (idBytes > 0) {
      this.#out[this.#at] = this.#tags.idTag;
      this.#at += 1;
      this.#copy(bytes, idStart, idEnd);
    }
    this.#field(this.#tags.revisionTag, revision);
    const answer = Buffer.allocUnsafe(end - start);
    this.#out.copy(answer, 0, start, end);
    return answer;
  }

  #revisionAlone(tag: number, revision: Revision): void {
    this.#reserve(RESULT_MAX_BYTES);
    this.#open(tag, 1 + varintBytes(revision));
    this.#field(REVISION, revision);
  }

  /** Begins a result whose member, `tag`, has so many bytes. */
  #open(tag: number, bytes: number): void {
    this.#field(this.#tags.resultTag, 1 + varintBytes(bytes) + bytes);
    this.#field(tag, bytes);
  }

  /** A tag and a number: a field of its own, or the beginning of one that has so many bytes. */
  #field(tag: number, value: number): void {
    const out = this.#out;
    let at = this.#at;
    out[at] = tag;
    at += 1;
    let rest = value;
    while (rest >= 0x80) {
      out[at] = (rest & 0x7f) | 0x80;
      at += 1;
      rest = rest > MAX_INT32 ? Math.floor(rest / 128) : rest >>> 7;
    }
    out[at] = rest;
    this.#at = at + 1;
  }

  #lease(id: LeaseId): void {
    this.#out[this.#at] = LEASE_ID;
    this.#at += 1;
    let rest = BigInt.asUintN(64, id);
    while (rest >= 0x80n) {
      this.#out[this.#at] = Number(rest & 0x7fn) | 0x80;
      this.#at += 1;
      rest >>= 7n;
    }
    this.#out[this.#at] = Number(rest);
    this.#at += 1;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    const length = end - start;
    const to = this.#at;
    this.#at = to + length;
    if (length <= LOOP_MAX_BYTES) {
      for (let index = 0; index < length; index += 1)
        out[to + index] = bytes[start + index] as number;
    } else {
      out.set(length === bytes.length ? bytes : bytes.subarray(start, end), to);
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#out.length));
    this.#out.copy(grown, 0, 0, this.#at);
    this.#out = grown;
  }
}

/** Up to here copying by hand is faster than a call. */
const LOOP_MAX_BYTES = 32;
const MAX_INT32 = 2 ** 31 - 1;

/** How many bytes a number from 0 up to 2^53 takes. */
function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let bytes = 5;
  for (let rest = value / 2 ** 35; rest >= 1; rest /= 128) bytes += 1;
  return bytes;
}

function leaseVarintBytes(id: LeaseId): number {
  let bytes = 1;
  for (let rest = BigInt.asUintN(64, id) >> 7n; rest > 0n; rest >>= 7n) bytes += 1;
  return bytes;
}
