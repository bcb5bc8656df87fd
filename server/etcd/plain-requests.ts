// Ranges and puts of etcd's protocol as most of them are: a key, the end of a range or a value, and
// nothing else. The generated decoder has the others, and says what these mean.

import type { PutRequest, RangeRequest } from "../../gen/grpc/etcd/rpc.js";
import { plainFields } from "../grpc/plain-fields.js";

const NO_BYTES = new Uint8Array(0);

/** Undefined: ask the generated decoder. */
export function plainRange(bytes: Uint8Array): RangeRequest | undefined {
  const fields = plainFields(bytes);
  if (fields === undefined || fields[3] !== undefined) return undefined;
  return {
    key: fields[1] ?? NO_BYTES,
    rangeEnd: fields[2] ?? NO_BYTES,
    limit: 0n,
    revision: 0n,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0n,
    maxModRevision: 0n,
    minCreateRevision: 0n,
    maxCreateRevision: 0n,
  };
}

/** Undefined: ask the generated decoder. */
export function plainPut(bytes: Uint8Array): PutRequest | undefined {
  const fields = plainFields(bytes);
  if (fields === undefined || fields[3] !== undefined) return undefined;
  return {
    key: fields[1] ?? NO_BYTES,
    value: fields[2] ?? NO_BYTES,
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}
