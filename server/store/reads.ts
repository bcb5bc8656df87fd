// Reads: single keys and listings, at a revision that can be read.

import type { GetCommand, GetResult, RangeQuery, RangeResult, Revision } from "../kv/types.js";
import type { CommitBuilder } from "./commit-builder.js";
import type { Counters } from "./counters.js";
import type { KeySpace } from "./key-space.js";
import { RangeRead } from "./range-read.js";
import { type ResultBudget, resultTooLarge } from "./result-budget.js";
import type { Retention } from "./retention.js";
import { NO_ROW } from "./row-layout.js";
import { entryOfRow } from "./version.js";
import type { VisitBudget } from "./visit-budget.js";

export class Reads {
  readonly #keys: KeySpace;
  readonly #retention: Retention;
  readonly #counters: Counters;

  constructor(options: {
    readonly keys: KeySpace;
    readonly retention: Retention;
    readonly counters: Counters;
  }) {
    this.#keys = options.keys;
    this.#retention = options.retention;
    this.#counters = options.counters;
  }

  /** `visible` is the newest revision that this read may see. */
  get(command: GetCommand, visible: Revision): GetResult {
    const revision = this.#retention.readable(command.revision, visible);
    this.#counters.entriesVisited += 1;
    this.#counters.seeks += 1;
    const live = this.#keys.liveAt(this.#keys.find(command.key), revision);
    const entry = live === NO_ROW ? undefined : entryOfRow(this.#keys.rows, live);
    return { revision, currentRevision: visible, entry };
  }

  /** Begins a listing. */
  range(query: RangeQuery, visible: Revision): RangeRead {
    const resumed = query.resume !== undefined;
    const revision = this.#retention.readable(query.revision, visible, resumed);
    return new RangeRead(this.#keys, this.#counters, query, revision);
  }

  /** A read inside a txn: now is the commit in the making, other revisions are before it. */
  getIn(builder: CommitBuilder, command: GetCommand): GetResult {
    const { headRevision, seenRevision } = builder;
    const now = command.revision === 0;
    const read = this.get(command, now ? builder.revision : headRevision);
    const revision = now ? seenRevision : read.revision;
    return { ...read, revision, currentRevision: seenRevision };
  }

  /** A listing inside a txn: in one go. @throws KvdError RESULT_TOO_LARGE, TOO_MANY_KEYS. */
  rangeIn(
    builder: CommitBuilder,
    query: RangeQuery,
    budgets: { readonly result: ResultBudget; readonly visits: VisitBudget },
  ): RangeResult {
    const { result: budget, visits } = budgets;
    const now = query.revision === 0;
    const maxBytes = Math.min(query.maxBytes, budget.left);
    const read = this.range({ ...query, maxBytes }, now ? builder.revision : builder.headRevision);
    if (visits.left <= 0 || !read.run(visits.left)) throw visits.exceeded();
    if (read.remaining === "bytes") throw resultTooLarge("the range", maxBytes);
    budget.take(read.bytes);
    const { seenRevision } = builder;
    const result = rangeResult(read, query, seenRevision);
    return now ? { ...result, revision: seenRevision } : result;
  }
}

/** The page that a finished read holds. */
export function rangeResult(
  read: RangeRead,
  query: RangeQuery,
  currentRevision: Revision,
): RangeResult {
  return {
    revision: read.revision,
    currentRevision,
    entries: read.entries,
    prefixes: read.prefixes,
    more: read.remaining !== "none",
    next: read.next,
    count: query.count === "no" ? undefined : read.rows,
  };
}
