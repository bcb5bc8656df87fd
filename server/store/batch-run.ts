// Runs the operations of a batch one after the other, each on its own: one that is refused is a
// failure among the results, and the others go on.

import { KvdError } from "../kv/errors.js";
import type {
  BatchCommand,
  BatchOperation,
  BatchResultItem,
  DeleteCommand,
  DeleteResult,
  Entry,
  GetCommand,
  GetResult,
  PutCommand,
  PutResult,
} from "../kv/types.js";
import { ResultBudget } from "./result-budget.js";

/** The operations of the store that it is of. */
export interface SingleOperations {
  get(command: GetCommand): GetResult;
  put(command: PutCommand): PutResult;
  delete(command: DeleteCommand): DeleteResult;
  /** What a key has now. */
  present(key: Uint8Array): Entry | undefined;
}

export function runBatch(command: BatchCommand, store: SingleOperations): BatchResultItem[] {
  const budget = new ResultBudget(command.maxBytes);
  budget.takeResult(command.operations.length);
  return command.operations.map((operation) => runOperation(operation, store, budget));
}

/** One of them; its result's own weight has been taken. */
export function runOperation(
  operation: BatchOperation,
  store: SingleOperations,
  budget: ResultBudget,
): BatchResultItem {
  try {
    return runAlone(operation, store, budget);
  } catch (error) {
    if (!(error instanceof KvdError)) throw error;
    return { kind: "failure", error };
  }
}

/** It says that something is compacted. */
export function isOfCompaction(result: BatchResultItem): boolean {
  return result.kind === "failure" && result.error.reason === "REVISION_COMPACTED";
}

function runAlone(
  operation: BatchOperation,
  store: SingleOperations,
  budget: ResultBudget,
): BatchResultItem {
  switch (operation.kind) {
    case "get": {
      const get = store.get(operation.get);
      budget.takeEntry(get.entry);
      return { kind: "get", get };
    }
    case "put": {
      // What it would return is weighed before it is applied: it stands alone.
      const { key, returnPrevious } = operation.put;
      budget.refuse(returnPrevious ? store.present(key) : undefined);
      const put = store.put(operation.put);
      budget.takeEntry(put.previous);
      return { kind: "put", put };
    }
    case "delete": {
      const maxBytes = Math.min(operation.delete.maxBytes, Math.max(0, budget.left));
      const deleted = store.delete({ ...operation.delete, maxBytes });
      for (const entry of deleted.previous) budget.takeEntry(entry);
      return { kind: "delete", delete: deleted };
    }
    case "refused":
      return { kind: "failure", error: operation.error };
  }
}
