// Reads the bytes of a batch once, before anything is applied: where each operation has its key and
// its value, in a row of numbers, not an object.
//
// It takes what clients send: operations that are plain, in the simplest form. An operation with
// anything else in it, or with a key or a value that is to be refused, goes through the generated
// codec alone. A message with anything else in it is left to the generated codec as a whole, which
// also finds the words for what is no message: so nothing is read more leniently here than there.

import type { BinaryReader } from "@bufbuild/protobuf/wire";
import { BatchOperationSchema } from "../../gen/es/kvd/v1/kv_pb.js";
import { BatchOperation as BatchOperationMessage } from "../../gen/grpc/kvd/v1/kv.js";
import { messageReader } from "../grpc/codec.js";
import { hasStructure } from "../grpc/structure.js";
import type { Limits } from "../kv/limits.js";
import type { BatchOperation } from "../kv/types.js";
import { isUtf8 } from "../lib/utf8.js";
import { type ViewedBytes, viewedBytes } from "../lib/viewed-bytes.js";
import type { BatchTags } from "./batch-shape.js";
import { batchOperationOf } from "./commands.js";

/** Kinds of rows: those of plain operations are their tags in BatchOperation. */
export const GET = 0x0a;
export const PUT = 0x12;
export const DELETE = 0x1a;
export const OTHER = 0;

/** The same in GetRequest, PutRequest and DeleteRequest. */
const KEY = 0x0a;
const RAW_KEY = 0x12;
/** Of PutRequest. */
const VALUE = 0x1a;

/** A row: kind, whether the key is text, key from and to, value from and to. */
const ROW = 6;
const FIRST_ROWS = 128;

/** Where more than these, and most, are not plain, the generated codec takes the message whole. */
const OTHERS_FEW = 8;

export class BatchPlan {
  readonly #operationTag: number;
  readonly #idTag: number;
  readonly #limits: Limits;
  /** Of the message that was read last. */
  source: ViewedBytes = NOTHING;
  count = 0;
  readsOnly = true;
  /** Where the id is; both 0 when there is none. */
  idStart = 0;
  idEnd = 0;
  /** Of the operation that goTo() went to. */
  kind = OTHER;
  isText = false;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  #rows = new Int32Array(FIRST_ROWS * ROW);
  /** What has no places, by the second number of its row. */
  #others: BatchOperation[] = [];
  /** Of the message, once something in it is not plain. */
  #reader: BinaryReader | undefined;
  /** Where the payload ends whose length was read last. */
  #payloadEnd = 0;

  constructor({ operationTag, idTag }: BatchTags, limits: Limits) {
    this.#operationTag = operationTag;
    this.#idTag = idTag;
    this.#limits = limits;
  }

  /** False when the generated codec has to look at it; then the plan is of no use. */
  read(bytes: Uint8Array): boolean {
    this.#begin(bytes);
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      const tag = bytes[at] as number;
      if (tag === this.#operationTag) {
        const start = this.#payloadAt(bytes, at + 1, end);
        if (start < 0) return false;
        at = this.#payloadEnd;
        if (!this.#addOperation(bytes, start, at)) return false;
      } else if (tag === this.#idTag) {
        at = this.#readId(bytes, at + 1, end);
        if (at < 0) return false;
      } else {
        return false;
      }
    }
    return true;
  }

  /** Tells of an operation; what is not plain is other(). */
  goTo(index: number): void {
    const rows = this.#rows;
    const at = index * ROW;
    this.kind = rows[at] as number;
    this.isText = rows[at + 1] === 1;
    this.keyStart = rows[at + 2] as number;
    this.keyEnd = rows[at + 3] as number;
    this.valueStart = rows[at + 4] as number;
    this.valueEnd = rows[at + 5] as number;
  }

  /** The operation that is not plain. */
  other(index: number): BatchOperation {
    return this.#others[this.#rows[index * ROW + 1] as number] as BatchOperation;
  }

  /** Lets go of what belongs to the message. */
  clear(): void {
    this.source = NOTHING;
    this.#reader = undefined;
    if (this.#others.length > 0) this.#others = [];
  }

  #begin(bytes: Uint8Array): void {
    this.source = viewedBytes(bytes);
    this.count = 0;
    this.readsOnly = true;
    this.idStart = 0;
    this.idEnd = 0;
    this.#reader = undefined;
    if (this.#others.length > 0) this.#others = [];
  }

  #addOperation(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.count === this.#limits.batchMaxOperations) return false;
    const at = this.count * ROW;
    if (at === this.#rows.length) this.#grow();
    if (!this.#readPlain(bytes, start, end, at) && !this.#readOther(bytes, start, end, at)) {
      return false;
    }
    this.count += 1;
    return true;
  }

  #readPlain(bytes: Uint8Array, start: number, end: number, row: number): boolean {
    if (start === end) return false;
    const kind = bytes[start] as number;
    if (kind !== GET && kind !== PUT && kind !== DELETE) return false;
    const from = this.#payloadAt(bytes, start + 1, end);
    if (from < 0 || this.#payloadEnd !== end) return false;
    let keyTag = 0;
    let keyStart = 0;
    let keyEnd = 0;
    let valueStart = 0;
    let valueEnd = 0;
    for (let at = from; at < end; at = this.#payloadEnd) {
      const tag = bytes[at] as number;
      const payload = this.#payloadAt(bytes, at + 1, end);
      if (payload < 0) return false;
      if ((tag === KEY || tag === RAW_KEY) && keyTag === 0) {
        keyTag = tag;
        keyStart = payload;
        keyEnd = this.#payloadEnd;
      } else if (tag === VALUE && kind === PUT && valueStart === 0) {
        valueStart = payload;
        valueEnd = this.#payloadEnd;
      } else {
        return false;
      }
    }
    const { keyMaxBytes, valueMaxBytes } = this.#limits;
    if (keyEnd === keyStart || keyEnd - keyStart > keyMaxBytes) return false;
    if (valueEnd - valueStart > valueMaxBytes) return false;
    const isText = isUtf8(this.source, keyStart, keyEnd);
    if (keyTag === KEY && !isText) return false;
    const rows = this.#rows;
    rows[row] = kind;
    rows[row + 1] = isText ? 1 : 0;
    rows[row + 2] = keyStart;
    rows[row + 3] = keyEnd;
    rows[row + 4] = valueStart;
    rows[row + 5] = valueEnd;
    if (kind !== GET) this.readsOnly = false;
    return true;
  }

  /** Through the generated codec; what that refuses, it refuses with the rest of the message. */
  #readOther(bytes: Uint8Array, start: number, end: number, row: number): boolean {
    const operation = this.#decode(bytes, start, end);
    if (operation === undefined) return false;
    this.#rows[row] = OTHER;
    this.#rows[row + 1] = this.#others.length;
    this.#others.push(operation);
    const others = this.#others.length;
    if (others > OTHERS_FEW && others * 2 > this.count) return false;
    if (operation.kind !== "get" && operation.kind !== "refused") this.readsOnly = false;
    return true;
  }

  #decode(bytes: Uint8Array, start: number, end: number): BatchOperation | undefined {
    if (!hasStructure(bytes, BatchOperationSchema, { start, end })) return undefined;
    this.#reader ??= messageReader(bytes);
    this.#reader.pos = start;
    let message: BatchOperationMessage;
    try {
      message = BatchOperationMessage.decode(this.#reader, end - start);
    } catch {
      return undefined;
    }
    return batchOperationOf(message, this.#limits);
  }

  /**
   * Where a payload begins whose length is at `at`, within a message that ends at `end`; below 0
   * when it is none, or has a longer length than any message.
   */
  #payloadAt(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) return -1;
    let length = bytes[at] as number;
    let start = at + 1;
    if (length >= 0x80) {
      length &= 0x7f;
      for (let shift = 7; ; shift += 7) {
        if (shift > 21 || start === end) return -1;
        const byte = bytes[start] as number;
        start += 1;
        length |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    this.#payloadEnd = start + length;
    return this.#payloadEnd > end ? -1 : start;
  }

  /**
   * Notes an id whose bytes can stand in the answer as they are: a varint no longer than it need
   * be. Gives where it ends, or -1. The last one counts, and 0 is not written.
   */
  #readId(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && (bytes[at] as number) >= 0x80) at += 1;
    if (at === end) return -1;
    const last = bytes[at] as number;
    const length = at - start;
    if (length > 9 || (length === 9 && last !== 1)) return -1;
    if (length > 0 && last === 0) return -1;
    const isZero = last === 0;
    this.idStart = isZero ? 0 : start;
    this.idEnd = isZero ? 0 : at + 1;
    return at + 1;
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

const NOTHING = viewedBytes(new Uint8Array(0));
