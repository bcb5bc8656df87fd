// Which branches of a txn run: its compares, those of nested txns too, read the state before it.

import { boundsOfSelector } from "../kv/selector.js";
import type { Compare, CompareTarget, Operation, Revision, TxnCommand } from "../kv/types.js";
import { compareBytes } from "../lib/bytes.js";
import type { KeySpace } from "./key-space.js";
import { NO_KEY } from "./key-table.js";
import { NO_ROW, type Row } from "./row-layout.js";
import type { Rows } from "./rows.js";
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
  const { start, end } = boundsOfSelector(compare.selector);
  const walk = keys.ascend(start);
  let found = false;
  for (let id = walk.next(); id !== NO_KEY; id = walk.next()) {
    if (end !== undefined && keys.compareTo(id, end) >= 0) break;
    visits.take();
    const live = keys.liveAt(id, revision);
    if (live === NO_ROW) continue;
    found = true;
    if (!relates(compare, keys.rows, live)) return false;
  }
  return found || relates(compare, keys.rows, NO_ROW);
}

/** Whether one entry, or its absence, satisfies a compare. */
function relates({ target, relation }: Compare, rows: Rows, live: Row): boolean {
  if (target.kind === "value" && live === NO_ROW) return false;
  const order = orderOf(target, rows, live);
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
function orderOf(target: CompareTarget, rows: Rows, live: Row): number {
  const isLive = live !== NO_ROW;
  switch (target.kind) {
    case "version":
      return (isLive ? rows.versionOf(live) : 0) - target.value;
    case "createRevision":
      return (isLive ? rows.createRevisionOf(live) : 0) - target.value;
    case "modRevision":
      return (isLive ? rows.revisionOf(live) : 0) - target.value;
    case "leaseId": {
      const stored = isLive ? rows.leaseIdOf(live) : 0n;
      return stored < target.value ? -1 : stored > target.value ? 1 : 0;
    }
    case "exists":
      return Number(isLive) - Number(target.value);
    case "value":
      return isLive ? compareBytes(rows.valueOf(live), target.value) : -1;
  }
}
