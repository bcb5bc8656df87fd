// Moving and copying as txns: what is compared, what is written. Sends nothing.
//
// Put before delete, so that a lease of one key alone does not end in between. The lease goes with
// the key: what the copy has is what remains of the original's.

import type { Compare, Entry, KeyLike, Operation, TxnSpec } from "../../index.js";

export interface RelocationKind {
  /** The original goes. */
  readonly moves: boolean;
  /** A key that is there already is written over. */
  readonly force: boolean;
}

export interface Step {
  readonly entry: Entry;
  readonly target: KeyLike;
}

/** Server limits: 1,024 compares and as many operations, of which a move takes two a key. */
export const STEPS_PER_TXN = 256;
/** Below what a request may be, with one value of the largest size that is usual. */
export const BYTES_PER_TXN = 2 * 1024 * 1024;

/** Holds when no original was changed since it was read, and no target is in the way. */
export function relocationTxn(steps: readonly Step[], { moves, force }: RelocationKind): TxnSpec {
  const unchanged = steps.map(({ entry }) => modRevisionIs(entry.keyBytes, entry.modRevision));
  const free = force ? [] : steps.map(({ target }) => isAbsent(target));
  const puts = steps.map(({ entry, target }): Operation => {
    const options = entry.leaseId === 0n ? {} : { leaseId: entry.leaseId };
    return { kind: "put", key: target, value: entry.bytes, options };
  });
  const deletes = steps.map(
    ({ entry }): Operation => ({ kind: "delete", selector: entry.keyBytes, options: {} }),
  );
  return { compare: [...unchanged, ...free], success: moves ? [...puts, ...deletes] : puts };
}

export function modRevisionIs(key: KeyLike, revision: number): Compare {
  return { selector: { key }, relation: "=", target: { kind: "modRevision", value: revision } };
}

export function isAbsent(key: KeyLike): Compare {
  return { selector: { key }, relation: "=", target: { kind: "exists", value: false } };
}

/** In the order of the steps; each list fits a txn. */
export function* inTxns(steps: Iterable<Step>): Generator<Step[]> {
  let list: Step[] = [];
  let bytes = 0;
  for (const step of steps) {
    const size = step.entry.bytes.length + 2 * step.entry.keyBytes.length;
    if (list.length === STEPS_PER_TXN || (list.length > 0 && bytes + size > BYTES_PER_TXN)) {
      yield list;
      list = [];
      bytes = 0;
    }
    list.push(step);
    bytes += size;
  }
  if (list.length > 0) yield list;
}
