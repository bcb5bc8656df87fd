// Writes a batch as one transaction: in whole, or not at all.
//
// An operation that the server refuses is taken out, and the batch tried again without it. What is
// refused as a whole for its size goes in halves, each of which is atomic then.

import type { KvdClientError, Operation, TxnResult, TxnSpec } from "../../index.js";
import { isClientError } from "../error-text.js";

export interface AtomicBatch<T> {
  readonly txn: (spec: TxnSpec) => Promise<TxnResult>;
  readonly operation: (item: T) => Operation;
  readonly done: (items: readonly T[], revision: number) => void;
  /** Whether to go on with what came after it. */
  readonly refused: (item: T, error: KvdClientError) => boolean;
}

/** Whether all of it was gone through. @throws what is not about an operation, or their number. */
export async function writeBatch<T>(items: readonly T[], batch: AtomicBatch<T>): Promise<boolean> {
  let left = items;
  let whole = true;
  while (left.length > 0) {
    try {
      const { revision } = await batch.txn({ success: left.map(batch.operation) });
      batch.done(left, revision);
      return whole;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const at = left.length === 1 ? 0 : indexOf(error);
      const item = at === undefined ? undefined : left[at];
      if (at === undefined || item === undefined) {
        const half = Math.ceil(left.length / 2);
        return (
          (await writeBatch(left.slice(0, half), batch)) &&
          (await writeBatch(left.slice(half), batch)) &&
          whole
        );
      }
      const goesOn = batch.refused(item, error);
      whole &&= goesOn;
      left = goesOn ? left.filter((_, index) => index !== at) : left.slice(0, at);
    }
  }
  return whole;
}

/** Nothing was applied, and what was sent is why; the connection and the log are not. */
function isRefusal(error: unknown): error is KvdClientError {
  if (!isClientError(error)) return false;
  // The transport's own limit on messages answers without a reason.
  if (error.reason === undefined) return error.code === "RESOURCE_EXHAUSTED";
  return error.code !== "UNAVAILABLE" && error.code !== "DATA_LOSS" && error.code !== "UNKNOWN";
}

/** It would not be refused in halves. */
export function isTooLarge(error: unknown): boolean {
  if (!isClientError(error)) return false;
  if (error.reason === undefined) return error.code === "RESOURCE_EXHAUSTED";
  return error.reason === "TOO_MANY_OPERATIONS" || error.reason === "REQUEST_TOO_LARGE";
}

/** Of the operation that was refused, where the server tells. */
function indexOf({ details }: KvdClientError): number | undefined {
  const found = /^success\[(\d+)\]/.exec(details.operation ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}
