// Runs the chosen branches of a txn inside one commit in the making. What fails tells its path, and
// the commit is abandoned by its owner.

import { KvdError } from "../kv/errors.js";
import type { Operation, OperationResult, Revision, TxnResult } from "../kv/types.js";
import type { CommitBuilder } from "./commit-builder.js";
import type { Mutations } from "./mutations.js";
import type { Reads } from "./reads.js";
import type { ResultBudget } from "./result-budget.js";
import type { Choice } from "./txn-choice.js";
import type { VisitBudget } from "./visit-budget.js";

export class TxnRun {
  readonly #builder: CommitBuilder;
  readonly #reads: Reads;
  readonly #mutations: Mutations;
  readonly #budget: ResultBudget;
  readonly #visits: VisitBudget;
  readonly #moment: { readonly nowMs: number; readonly published: Revision };

  constructor(options: {
    readonly builder: CommitBuilder;
    readonly reads: Reads;
    readonly mutations: Mutations;
    readonly budget: ResultBudget;
    readonly visits: VisitBudget;
    readonly moment: { readonly nowMs: number; readonly published: Revision };
  }) {
    this.#builder = options.builder;
    this.#reads = options.reads;
    this.#mutations = options.mutations;
    this.#budget = options.budget;
    this.#visits = options.visits;
    this.#moment = options.moment;
  }

  /** `path` stands before the paths of the operations; empty for the outer txn. */
  run(choice: Choice, path = ""): TxnResult {
    const { succeeded, operations } = choice;
    const branch = `${path}${succeeded ? "success" : "failure"}`;
    const results = operations.map((operation, index): OperationResult => {
      const at = `${branch}[${index}]`;
      try {
        this.#budget.takeResult();
        if (operation.kind !== "txn") return this.#runOne(operation);
        return { kind: "txn", txn: this.run(choice.nested.get(index) as Choice, `${at}.txn.`) };
      } catch (error) {
        if (!(error instanceof KvdError) || error.details.operation !== undefined) throw error;
        throw error.with({ operation: at });
      }
    });
    return { revision: this.#builder.seenRevision, succeeded, results };
  }

  #runOne(operation: Exclude<Operation, { kind: "txn" }>): OperationResult {
    switch (operation.kind) {
      case "get": {
        const get = this.#reads.getIn(this.#builder, operation.get);
        this.#budget.takeEntry(get.entry);
        return { kind: "get", get };
      }
      case "range": {
        const range = this.#reads.rangeIn(this.#builder, operation.range, {
          result: this.#budget,
          visits: this.#visits,
        });
        return { kind: "range", range };
      }
      case "put": {
        const put = this.#mutations.put(this.#builder, operation.put, this.#moment);
        this.#budget.takeEntry(put.previous);
        return { kind: "put", put };
      }
      case "delete": {
        const maxBytes = Math.min(operation.delete.maxBytes, this.#budget.left);
        const command = { ...operation.delete, maxBytes };
        const deleted = this.#mutations.delete(this.#builder, command, this.#visits);
        for (const entry of deleted.previous) this.#budget.takeEntry(entry);
        return { kind: "delete", delete: deleted };
      }
    }
  }
}
