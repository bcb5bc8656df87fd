// Whether a txn could write a key twice. Each key of a revision has one change, so such a txn is
// refused before anything of it runs.

import { KvdError, showKey } from "../kv/errors.js";
import type { Operation, TxnCommand } from "../kv/types.js";
import { bytesFromLatin1, latin1FromBytes } from "../lib/bytes.js";
import { type TextBounds, textBoundsOfSelector } from "./text-bounds.js";

/** What a list of operations may write. */
interface Writes {
  readonly puts: Set<string>;
  readonly deletes: TextBounds[];
}

/**
 * Refuses a txn in which two puts of one key, or a put and a delete that covers it, could run
 * together. The two branches of a txn are apart; what is nested counts with both of its branches.
 *
 * @throws KvdError DUPLICATE_KEY.
 */
export function refuseDuplicates(txn: TxnCommand): void {
  writesOfTxn(txn);
}

function writesOfTxn(txn: TxnCommand): Writes {
  const success = writesOfList(txn.success);
  const failure = writesOfList(txn.failure);
  for (const key of failure.puts) success.puts.add(key);
  return { puts: success.puts, deletes: success.deletes.concat(failure.deletes) };
}

function writesOfList(operations: readonly Operation[]): Writes {
  const all: Writes = { puts: new Set(), deletes: [] };
  // Own deletes and nested ones are compared with the puts of the others only: one nested txn has
  // had its own branches checked, and they exclude each other.
  for (const operation of operations) {
    const writes = writesOfOperation(operation);
    if (writes === undefined) continue;
    for (const key of writes.puts) {
      if (all.puts.has(key)) throw duplicate(key);
    }
    refuseCovered(writes.puts, all.deletes);
    refuseCovered(all.puts, writes.deletes);
    for (const key of writes.puts) all.puts.add(key);
    all.deletes.push(...writes.deletes);
  }
  return all;
}

function writesOfOperation(operation: Operation): Writes | undefined {
  switch (operation.kind) {
    case "put":
      return { puts: new Set([latin1FromBytes(operation.put.key)]), deletes: [] };
    case "delete":
      return { puts: new Set(), deletes: [textBoundsOfSelector(operation.delete.selector)] };
    case "txn":
      return writesOfTxn(operation.txn);
    default:
      return undefined;
  }
}

function refuseCovered(puts: ReadonlySet<string>, deletes: readonly TextBounds[]): void {
  for (const { start, end } of deletes) {
    for (const key of puts) {
      if (key >= start && (end === undefined || key < end)) throw duplicate(key);
    }
  }
}

function duplicate(key: string): KvdError {
  const shown = showKey(bytesFromLatin1(key));
  return new KvdError("DUPLICATE_KEY", `the txn could write key ${shown} more than once`);
}
