// Between the messages of etcd's protocol and the words of the engine: keys, entries, numbers.

import type { KeyValue } from "../../gen/grpc/etcd/kv.js";
import { KvdError, showKey } from "../kv/errors.js";
import type { Selector } from "../kv/selector.js";
import type { Entry } from "../kv/types.js";
import { refusals } from "./status.js";

/** What a record of the log can hold. */
const KEY_MAX_BYTES = 0xffff;

/** Revisions and limits beyond are not met: the largest number stands for all of them. */
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** A revision or a limit, as etcd takes them: 0 and below means none. */
export function positiveFromInt64(value: bigint): number {
  return value <= 0n ? 0 : Number(value < LARGEST ? value : LARGEST);
}

/** The keys from `key` up to `end`: empty for the key alone, one zero byte for no upper bound. */
export function selectorFromRange(key: Uint8Array, end: Uint8Array): Selector {
  if (key.length === 0) throw refusals.emptyKey();
  if (end.length === 0) return { kind: "key", key };
  return { kind: "interval", start: key, end: isZero(end) ? undefined : end };
}

/** The sign for no upper bound, and for the lowest key. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === 0;
}

/** A key to be written. */
export function keyToWrite(key: Uint8Array): Uint8Array {
  if (key.length === 0) throw refusals.emptyKey();
  if (key.length <= KEY_MAX_BYTES) return key;
  const text = `key ${showKey(key)} has ${key.length} bytes, more than ${KEY_MAX_BYTES}`;
  throw new KvdError("KEY_TOO_LONG", text);
}

const NO_BYTES = new Uint8Array(0);

export function keyValue(entry: Entry, keysOnly = false): KeyValue {
  return {
    key: entry.key,
    createRevision: BigInt(entry.createRevision),
    modRevision: BigInt(entry.modRevision),
    version: BigInt(entry.version),
    value: keysOnly ? NO_BYTES : entry.value,
    lease: entry.leaseId,
  };
}
