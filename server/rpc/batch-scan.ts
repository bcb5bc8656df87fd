// Counts the operations of a batch by its raw bytes, before anything is decoded: an empty operation
// takes two bytes, and becomes an object.

import { wireFieldAt } from "../grpc/wire-field.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";

/**
 * `operations` is the number of their field. Bytes that are not a message are left to others to
 * refuse.
 *
 * @throws KvdError TOO_MANY_OPERATIONS.
 */
export function scanBatch(
  bytes: Uint8Array,
  operations: number,
  { batchMaxOperations }: Pick<Limits, "batchMaxOperations">,
): void {
  let count = 0;
  let at = 0;
  while (at < bytes.length) {
    const field = wireFieldAt(bytes, at, bytes.length);
    if (field === undefined) return;
    if (field.number === operations) count += 1;
    at = field.end;
  }
  if (count <= batchMaxOperations) return;
  const text = `the batch has ${count} operations, more than ${batchMaxOperations}`;
  throw new KvdError("TOO_MANY_OPERATIONS", `${text} (--batch-max-operations)`);
}
