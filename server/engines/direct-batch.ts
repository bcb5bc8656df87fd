// Batches straight on the store, in one turn, as kv/direct.ts describes.
//
// There is one batch at a time, since each is over before its call returns: so the object that does
// it, and the entry that it shows, are made once.

import type { Direct, DirectBatch, DirectBytes, DirectEntry, DirectOptions } from "../kv/direct.js";
import {
  type BatchOperation,
  type BatchResultItem,
  ENTRY_OVERHEAD_BYTES,
  type LeaseId,
  NO_LEASE,
  type Revision,
} from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import { viewedBytes } from "../lib/viewed-bytes.js";
import type { Backend } from "../store/backend.js";
import { isOfCompaction, runOperation, type SingleOperations } from "../store/batch-run.js";
import type { PlainPut } from "../store/plain-calls.js";
import { ResultBudget } from "../store/result-budget.js";
import type { ShownRow } from "../store/row-fields.js";
import { NO_ROW } from "../store/row-layout.js";
import type { Store } from "../store/store.js";

interface DirectStoreOptions {
  readonly store: Store;
  readonly backend: Backend;
  /** The moment of a batch. @throws SHUTTING_DOWN. */
  readonly begin: () => Now;
  /** For after a batch that may have changed something. */
  readonly afterChange: () => void;
}

export class DirectStore implements Direct {
  readonly #options: DirectStoreOptions;
  readonly #batch: StoreBatch;

  constructor(options: DirectStoreOptions) {
    this.#options = options;
    this.#batch = new StoreBatch(options.store);
  }

  batch<T>(options: DirectOptions, work: (batch: DirectBatch) => T): T | Promise<T> {
    const { store, backend, begin, afterChange } = this.#options;
    this.#batch.begin(options, begin());
    let result: T;
    try {
      result = work(this.#batch);
    } finally {
      if (!options.readsOnly) afterChange();
    }
    const { tellsCompaction } = this.#batch;
    if (options.readsOnly && !tellsCompaction) return result;
    const position = tellsCompaction ? store.journal.tellCompaction() : store.journal.position;
    if (backend.durablePosition >= position) return result;
    return backend.durable(position).then(() => result);
  }
}

const NOTHING = viewedBytes(new Uint8Array(0));

/** Shows a row in the shape of the contract; always the same object. */
class EntryView implements DirectEntry, ShownRow {
  source: DirectBytes = NOTHING;
  valueStart = 0;
  valueEnd = 0;
  createRevision: Revision = 0;
  modRevision: Revision = 0;
  version = 0;
  leaseId: LeaseId = NO_LEASE;
}

/** Tells the store of a put; always the same object. */
class PutPlace implements PlainPut {
  source: DirectBytes = NOTHING;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
}

class StoreBatch implements DirectBatch {
  readonly entry = new EntryView();
  readonly #put = new PutPlace();
  readonly #store: Store;
  #now: Now = { wallMs: 0, monotonicMs: 0 };
  #budget = new ResultBudget(0);
  /** What reads see; undefined: the head. */
  #visible: Revision | undefined;
  #operations: SingleOperations | undefined;
  /** A result says that something is compacted: the answer waits until that is durable. */
  tellsCompaction = false;

  constructor(store: Store) {
    this.#store = store;
  }

  begin({ readsOnly, operations, maxBytes }: DirectOptions, now: Now): void {
    this.#now = now;
    this.tellsCompaction = false;
    this.#operations = undefined;
    this.#visible = readsOnly ? this.#store.publishedRevision : undefined;
    this.#budget = new ResultBudget(maxBytes);
    this.#budget.takeResult(operations);
  }

  get revision(): Revision {
    return this.#visible ?? this.#store.revision;
  }

  get({ bytes }: DirectBytes, start: number, end: number): boolean {
    const { plain, keys } = this.#store;
    const row = plain.get(bytes, start, end, this.revision);
    if (row === NO_ROW) return false;
    this.#budget.take(end - start + keys.rows.valueLengthOf(row) + ENTRY_OVERHEAD_BYTES);
    keys.rows.show(row, this.entry);
    return true;
  }

  put(
    source: DirectBytes,
    start: number,
    end: number,
    valueStart: number,
    valueEnd: number,
  ): Revision {
    const place = this.#put;
    place.source = source;
    place.keyStart = start;
    place.keyEnd = end;
    place.valueStart = valueStart;
    place.valueEnd = valueEnd;
    const revision = this.#store.plain.put(place, this.#now);
    place.source = NOTHING;
    if (revision !== undefined) return revision;
    const { bytes } = source;
    const command = {
      key: bytes.subarray(start, end),
      value: bytes.subarray(valueStart, valueEnd),
      lease: { kind: "none" },
      expectedModRevision: undefined,
      returnPrevious: false,
    } as const;
    return this.#store.put(command, this.#now).revision;
  }

  delete({ bytes }: DirectBytes, start: number, end: number): number {
    const deleted = this.#store.plain.delete(bytes, start, end, this.#now);
    if (deleted !== undefined) return deleted;
    const command = {
      selector: { kind: "key", key: bytes.subarray(start, end) },
      limit: 0,
      maxKeys: 1,
      expectedModRevision: undefined,
      returnPrevious: false,
      maxBytes: 0,
    } as const;
    return this.#store.delete(command, this.#now).deleted;
  }

  run(operation: BatchOperation): BatchResultItem {
    this.#operations ??= this.#store.operations(this.#now, this.#visible);
    const result = runOperation(operation, this.#operations, this.#budget);
    this.tellsCompaction ||= isOfCompaction(result);
    return result;
  }
}
