// The parts of a txn that only read: which branches its compares choose, and whether it could write
// a key twice.

import { KvdError, showKey } from "../kv/errors.js";
import type { Compare, CompareTarget, Operation, Revision, TxnCommand } from "../kv/types.js";
import { bytesFromLatin1, compareBytes, latin1FromBytes } from "../lib/bytes.js";
import type { Counters } from "./counters.js";
import type { KeySpace } from "./key-space.js";
import { type TextBounds, textBoundsOfSelector } from "./range-read.js";
import type { Version } from "./version.js";

/** The branch of a txn that runs, with the choices of the txns nested in it, by place. */
export interface Choice {
  readonly succeeded: boolean;
  readonly operations: readonly Operation[];
  readonly nested: ReadonlyMap<number, Choice>;
}

/** Chooses all branches by the state at `revision`, the one before the txn. */
export function chooseBranches(
  txn: TxnCommand,
  keys: KeySpace,
  counters: Counters,
  revision: Revision,
): Choice {
  const succeeded = txn.compares.every((compare) => holds(compare, keys, counters, revision));
  const operations = succeeded ? txn.success : txn.failure;
  const nested = new Map<number, Choice>();
  operations.forEach((operation, index) => {
    if (operation.kind !== "txn") return;
    nested.set(index, chooseBranches(operation.txn, keys, counters, revision));
  });
  return { succeeded, operations, nested };
}

function holds(compare: Compare, keys: KeySpace, counters: Counters, revision: Revision): boolean {
  const { selector } = compare;
  const { start, end } = textBoundsOfSelector(selector);
  const walk = keys.ascend(start);
  counters.seeks += 1;
  let found = false;
  for (let step = walk.next(); step !== undefined; step = walk.next()) {
    const [key, record] = step;
    if (end !== undefined && key >= end) break;
    counters.entriesVisited += 1;
    const live = record.liveAt(revision);
    if (live === undefined) continue;
    found = true;
    if (!relates(compare, live)) return false;
  }
  return found || relates(compare, undefined);
}

/** Whether one entry, or its absence, satisfies a compare. */
function relates(compare: Compare, live: Version | undefined): boolean {
  const { target, relation } = compare;
  if (target.kind === "value" && live === undefined) return false;
  const order = orderOf(target, live);
  switch (relation) {
    case "equal":
      return order === 0;
    case "not-equal":
      return order !== 0;
    case "less":
      return order < 0;
    case "greater":
      return order > 0;
  }
}

/** The stored side against the given one: below, equal or above 0. */
function orderOf(target: CompareTarget, live: Version | undefined): number {
  switch (target.kind) {
    case "version":
      return (live?.version ?? 0) - target.value;
    case "createRevision":
      return (live?.createRevision ?? 0) - target.value;
    case "modRevision":
      return (live?.revision ?? 0) - target.value;
    case "leaseId": {
      const stored = live?.leaseId ?? 0n;
      return stored < target.value ? -1 : stored > target.value ? 1 : 0;
    }
    case "exists":
      return Number(live !== undefined) - Number(target.value);
    case "value":
      return live === undefined ? -1 : compareBytes(live.value, target.value);
  }
}

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
