// Which branches of a txn run: its compares, those of nested txns too, read the state before it.

import type { Compare, CompareTarget, Operation, Revision, TxnCommand } from "../kv/types.js";
import { compareBytes } from "../lib/bytes.js";
import type { KeySpace } from "./key-space.js";
import { textBoundsOfSelector } from "./range-read.js";
import type { Version } from "./version.js";
import type { VisitBudget } from "./visit-budget.js";

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
  visits: VisitBudget,
  revision: Revision,
): Choice {
  const succeeded = txn.compares.every((compare) => holds(compare, keys, visits, revision));
  const operations = succeeded ? txn.success : txn.failure;
  const nested = new Map<number, Choice>();
  operations.forEach((operation, index) => {
    if (operation.kind !== "txn") return;
    nested.set(index, chooseBranches(operation.txn, keys, visits, revision));
  });
  return { succeeded, operations, nested };
}

function holds(compare: Compare, keys: KeySpace, visits: VisitBudget, revision: Revision): boolean {
  const { selector } = compare;
  const { start, end } = textBoundsOfSelector(selector);
  const walk = keys.ascend(start);
  let found = false;
  for (let step = walk.next(); step !== undefined; step = walk.next()) {
    const [key, record] = step;
    if (end !== undefined && key >= end) break;
    visits.take();
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
