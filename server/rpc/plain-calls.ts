// Gets and puts as most of them are, straight between bytes and what the engine takes and gives.
//
// The generated codec is the specification: a plain request means what its message would, an answer
// has the very bytes of it (test/unit/rpc/plain-calls.test.ts). Whatever is not plain, such as an
// entry with a lease, goes through it.

import {
  type GetRequest,
  GetResponse,
  type PutRequest,
  PutResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import { encodeMessage } from "../grpc/codec.js";
import { isText, type PlainFields, plainFields } from "../grpc/plain-fields.js";
import {
  bytesFieldBytes,
  numberBytes,
  writeBytes,
  writeLength,
  writeNumber,
} from "../grpc/plain-write.js";
import { type Entry, type GetResult, NO_LEASE, type PutResult } from "../kv/types.js";
import { getResponse, putResponse } from "./messages.js";

/** Undefined: ask the generated decoder. The key is told as bytes, also when it came as a text. */
export function plainGet(bytes: Uint8Array): GetRequest | undefined {
  const fields = plainFields(bytes);
  const key = fields && plainKey(fields);
  if (key === undefined || fields?.[3] !== undefined) return undefined;
  return { keyForm: { $case: "rawKey", value: key }, revision: 0n };
}

const NO_BYTES = new Uint8Array(0);

/** Undefined: ask the generated decoder. The key is told as bytes, also when it came as a text. */
export function plainPut(bytes: Uint8Array): PutRequest | undefined {
  const fields = plainFields(bytes);
  const key = fields && plainKey(fields);
  if (key === undefined) return undefined;
  return {
    keyForm: { $case: "rawKey", value: key },
    value: fields?.[3] ?? NO_BYTES,
    ttl: undefined,
    leaseId: 0n,
    keepLease: false,
    expectedModRevision: undefined,
    returnPrevious: false,
  };
}

function plainKey(fields: PlainFields): Uint8Array | undefined {
  const [, text, raw] = fields;
  if (text === undefined) return raw;
  return raw === undefined && isText(text) ? text : undefined;
}

export function encodeGetResult(result: GetResult): Buffer {
  const { revision, entry } = result;
  if (entry !== undefined && !isPlain(entry)) {
    return encodeMessage(GetResponse, getResponse(result));
  }
  const inner = entry === undefined ? 0 : entryBytes(entry);
  const length = numberBytes(revision) + (entry === undefined ? 0 : bytesFieldBytes(inner));
  const buffer = Buffer.allocUnsafe(length);
  let at = writeNumber(buffer, 0, 1, revision);
  if (entry === undefined) return buffer;
  at = writeLength(buffer, at, 2, inner);
  at = writeBytes(buffer, at, 1, entry.key);
  if (entry.value.length > 0) at = writeBytes(buffer, at, 3, entry.value);
  at = writeNumber(buffer, at, 4, entry.createRevision);
  at = writeNumber(buffer, at, 5, entry.modRevision);
  writeNumber(buffer, at, 6, entry.version);
  return buffer;
}

export function encodePutResult(result: PutResult): Buffer {
  const { revision, previous, leaseId, ttlMs } = result;
  if (previous !== undefined || leaseId !== NO_LEASE || ttlMs !== 0) {
    return encodeMessage(PutResponse, putResponse(result));
  }
  const buffer = Buffer.allocUnsafe(numberBytes(revision));
  writeNumber(buffer, 0, 1, revision);
  return buffer;
}

function isPlain({ leaseId, key }: Entry): boolean {
  return leaseId === NO_LEASE && isText(key);
}

function entryBytes({ key, value, createRevision, modRevision, version }: Entry): number {
  const numbers = numberBytes(createRevision) + numberBytes(modRevision) + numberBytes(version);
  const valueBytes = value.length === 0 ? 0 : bytesFieldBytes(value.length);
  return bytesFieldBytes(key.length) + valueBytes + numbers;
}
