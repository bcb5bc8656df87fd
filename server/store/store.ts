// The store: every operation of the service over keys in memory, synchronous and deterministic.
//
// A mutation is one turn, and one step of the journal (journal.ts). Plain reads and watches see
// what is published there. Time comes as an argument, randomness and the backend at construction.
// Waiting is the engine's.

import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type {
  BatchCommand,
  BatchResult,
  DeleteCommand,
  DeleteResult,
  GetCommand,
  GetResult,
  PutCommand,
  PutResult,
  RangeQuery,
  RangeResult,
  Revision,
  TxnCommand,
  TxnOptions,
  TxnResult,
  WatchSpec,
} from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import type { HashSeed } from "../lib/half-sip-hash.js";
import type { Backend } from "./backend.js";
import { runBatch, type SingleOperations } from "./batch-run.js";
import { newCounters } from "./counters.js";
import { History } from "./history.js";
import { Hub, type HubLimits } from "./hub.js";
import { Journal } from "./journal.js";
import { KeySpace } from "./key-space.js";
import { LeaseCalls } from "./lease-calls.js";
import { Lessor } from "./lessor.js";
import { Mutations, presentEntry } from "./mutations.js";
import { PlainCalls } from "./plain-calls.js";
import type { RangeRead } from "./range-read.js";
import { Reads, rangeResult } from "./reads.js";
import { ResultBudget } from "./result-budget.js";
import { Retention, type RetentionLimits } from "./retention.js";
import type { Rows } from "./rows.js";
import { chooseBranches } from "./txn-choice.js";
import { refuseDuplicates } from "./txn-duplicates.js";
import { TxnRun } from "./txn-run.js";
import { VisitBudget } from "./visit-budget.js";
import { Watch, type WatchSource } from "./watch.js";

export type StoreLimits = HubLimits &
  RetentionLimits &
  Pick<Limits, "leasesMax" | "leaseMemoryMaxBytes" | "watchersMax" | "turnMaxVisits">;

export interface StoreOptions {
  readonly limits: StoreLimits;
  readonly storeId: string;
  /** Positive int64s for leases. */
  readonly randomLeaseId: () => bigint;
  /** Two random uint32: nobody who chooses keys may know where they are hashed to. */
  readonly hashSeed: HashSeed;
  readonly backend: Backend;
  /** New ones by default. */
  readonly rows?: Rows;
}

export class Store {
  readonly storeId: string;
  readonly counters = newCounters();
  readonly keys: KeySpace;
  readonly history: History;
  readonly lessor: Lessor;
  readonly retention: Retention;
  readonly hub: Hub;
  readonly #limits: StoreLimits;
  readonly journal: Journal;
  readonly leases: LeaseCalls;
  readonly plain: PlainCalls;
  readonly #reads: Reads;
  readonly #mutations: Mutations;
  constructor(options: StoreOptions) {
    const { limits } = options;
    this.keys = new KeySpace(options.hashSeed, options.rows);
    this.history = new History(this.keys.rows);
    const { keys, history, counters } = this;
    this.storeId = options.storeId;
    this.#limits = limits;
    this.lessor = new Lessor(options.randomLeaseId);
    this.hub = new Hub(limits, counters);
    const { lessor } = this;
    this.retention = new Retention({ keys, history, lessor, counters, limits });
    const { retention } = this;
    this.journal = new Journal({
      keys,
      history,
      lessor,
      compactor: retention.compactor,
      backend: options.backend,
      onPublish: (commit) => this.hub.publish(commit),
      isWatched: () => this.hub.size > 0,
    });
    const { journal } = this;
    this.plain = new PlainCalls({ keys, journal, retention, counters });
    this.leases = new LeaseCalls({ keys, lessor, journal, retention, limits });
    this.#reads = new Reads({ keys, retention, counters });
    this.#mutations = new Mutations({ keys, lessor, retention, counters, limits });
  }

  /** The head: the revision of the last commit. */
  get revision(): Revision {
    return this.journal.revision;
  }

  /** The newest revision that may be shown. */
  get publishedRevision(): Revision {
    return this.journal.publishedRevision;
  }

  /** From here on deadlines of leases, kept in running time, are those of the engine's clock. */
  start(runningMs: number, now: Now): void {
    this.lessor.shift(now.monotonicMs - runningMs);
    this.retention.start();
  }

  get(command: GetCommand): GetResult {
    return this.#reads.get(command, this.journal.publishedRevision);
  }

  /** Begins a listing; its revision stays readable until endRange() or abandonRange(). */
  beginRange(query: RangeQuery): RangeRead {
    const read = this.#reads.range(query, this.journal.publishedRevision);
    this.retention.startReading(read);
    return read;
  }

  /** Walks on; true when the page is done. @throws REVISION_COMPACTED when history had to go. */
  runRange(read: RangeRead, maxVisits: number): boolean {
    this.retention.refuseGone(read.revision);
    this.counters.slices += 1;
    return read.run(maxVisits);
  }

  /** The page. With rows remaining, the listing's revision is pinned for a while. */
  endRange(read: RangeRead, query: RangeQuery, now: Now): RangeResult {
    this.abandonRange(read);
    if (read.next !== undefined) this.retention.pin(read.revision, now.monotonicMs);
    return rangeResult(read, query, this.journal.publishedRevision);
  }

  abandonRange(read: RangeRead): void {
    this.retention.stopReading(read);
  }

  put(command: PutCommand, now: Now): PutResult {
    return this.journal.write(now, (builder) =>
      this.#mutations.put(builder, command, this.#moment(now)),
    );
  }

  delete(command: DeleteCommand, now: Now): DeleteResult {
    const visits = this.#visits();
    return this.journal.write(now, (builder) => this.#mutations.delete(builder, command, visits));
  }

  txn(command: TxnCommand, options: TxnOptions, now: Now): TxnResult {
    refuseDuplicates(command);
    const visits = this.#visits();
    const choice = chooseBranches(command, this.keys, visits, this.journal.revision);
    return this.journal.write(now, (builder) => {
      const budget = new ResultBudget(options.maxBytes);
      const moment = this.#moment(now);
      const reads = this.#reads;
      const mutations = this.#mutations;
      return new TxnRun({ builder, reads, mutations, budget, visits, moment }).run(choice);
    });
  }

  /** All operations in order, each on its own; gets see `visible`, or the head by default. */
  batch(command: BatchCommand, now: Now, visible?: Revision): BatchResult {
    const results = runBatch(command, this.operations(now, visible));
    return { revision: visible ?? this.journal.revision, results };
  }

  /** What a batch runs, for whoever runs its operations one by one. */
  operations(now: Now, visible?: Revision): SingleOperations {
    return {
      get: (get) => this.#reads.get(get, visible ?? this.journal.revision),
      put: (put) => this.put(put, now),
      delete: (remove) => this.delete(remove, now),
      present: (key) => presentEntry(this.keys, key),
    };
  }

  compact(command: { readonly revision: Revision }, now: Now): void {
    this.retention.refuseFuture(command.revision, this.journal.publishedRevision);
    this.retention.refuseCompact(command.revision);
    const { revision } = command;
    const onPublish = () => this.retention.compact(revision, now);
    this.journal.log({ compactRevision: revision }, () => ({ result: undefined, onPublish }));
  }

  /** Takes compaction a step further; true when there is nothing more to do now. */
  maintain(now: Now, maxChanges: number): boolean {
    return this.retention.maintain(now, maxChanges, this.journal.publishedRevision);
  }

  /** Opens a watch; what its spec asks for in vain becomes its end. @throws TOO_MANY_WATCHERS. */
  watch(spec: WatchSpec, nowMs: () => number): Watch {
    const { watchersMax } = this.#limits;
    if (this.hub.size >= watchersMax) {
      const text = `there are ${watchersMax} watches, as many as there may be (--watchers-max)`;
      throw new KvdError("TOO_MANY_WATCHERS", text);
    }
    const watch = new Watch(spec, this.#watchSource(nowMs), this.storeId);
    this.hub.add(watch);
    const { startRevision, storeId } = spec;
    const { compactRevision } = this.retention.compactor;
    const published = this.journal.publishedRevision;
    if (storeId !== undefined && storeId !== this.storeId) watch.refuse(this.#changed(storeId));
    else if (startRevision !== 0 && startRevision < compactRevision) {
      watch.end(this.retention.compacted(startRevision));
    } else {
      this.retention.pin(Math.min(startRevision || published, published + 1), nowMs());
    }
    return watch;
  }

  #watchSource(nowMs: () => number): WatchSource {
    const store = this;
    const hold = (revision: Revision) => {
      store.retention.refuseGone(revision);
      store.retention.pin(revision, nowMs());
    };
    return {
      get publishedRevision() {
        return store.publishedRevision;
      },
      get compactRevision() {
        return store.retention.compactor.compactRevision;
      },
      commitAt: (revision) => store.history.at(revision),
      hold,
      readCurrent(query) {
        hold(query.revision);
        return store.#reads.range(query, store.publishedRevision);
      },
    };
  }

  #changed(wanted: string): KvdError {
    const text = `the watch is for store ${wanted.slice(0, 64)}, this is store ${this.storeId}`;
    return new KvdError("STORE_CHANGED", text, { storeId: this.storeId });
  }

  /** For one turn. */
  #visits(): VisitBudget {
    return new VisitBudget(this.counters, this.#limits.turnMaxVisits);
  }

  #moment(now: Now) {
    return { nowMs: now.monotonicMs, published: this.journal.publishedRevision };
  }
}
