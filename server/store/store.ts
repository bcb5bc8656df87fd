// The store: every operation of the service over keys in memory, synchronous and deterministic.
//
// A mutation is one turn: it is checked, applied through a CommitBuilder, handed to the backend,
// and only then the revision moves; whatever throws before that takes everything back. `revision`
// is the head; `publishedRevision` is the newest that is durable, and all that plain reads and
// watches see. Time comes as an argument, randomness and the backend at construction. Waiting is
// the engine's.

import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type {
  BatchCommand,
  BatchResult,
  DeleteCommand,
  DeleteResult,
  GetCommand,
  GetResult,
  LeaseId,
  LeaseInfo,
  LeaseKeys,
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
import { ENTRY_OVERHEAD_BYTES, NO_LEASE } from "../kv/types.js";
import { bytesFromLatin1, latin1FromBytes } from "../lib/bytes.js";
import type { Now } from "../lib/clock.js";
import type { Backend, LogRecord, Position } from "./backend.js";
import { runBatch } from "./batch-run.js";
import { CommitBuilder } from "./commit-builder.js";
import { newCounters } from "./counters.js";
import { History } from "./history.js";
import { Hub, type HubLimits } from "./hub.js";
import { KeySpace } from "./key-space.js";
import { type Lease, Lessor } from "./lessor.js";
import { Mutations, presentEntry } from "./mutations.js";
import type { RangeRead } from "./range-read.js";
import { Reads, rangeResult } from "./reads.js";
import { ResultBudget } from "./result-budget.js";
import { Retention, type RetentionLimits } from "./retention.js";
import { chooseBranches } from "./txn-choice.js";
import { refuseDuplicates } from "./txn-duplicates.js";
import { TxnRun } from "./txn-run.js";
import { type Step, Unpublished } from "./unpublished.js";
import type { Commit, KeyRecord } from "./version.js";
import { VisitBudget } from "./visit-budget.js";
import { Watch, type WatchSource } from "./watch.js";

export type StoreLimits = HubLimits &
  RetentionLimits &
  Pick<Limits, "leasesMax" | "watchersMax" | "turnMaxVisits">;

export interface StoreOptions {
  readonly limits: StoreLimits;
  readonly storeId: string;
  /** Positive int64s for leases. */
  readonly randomLeaseId: () => bigint;
  readonly backend: Backend;
}

export class Store {
  readonly storeId: string;
  readonly counters = newCounters();
  readonly keys = new KeySpace();
  readonly history = new History();
  readonly lessor: Lessor;
  readonly retention: Retention;
  readonly hub: Hub;
  readonly #limits: StoreLimits;
  readonly #backend: Backend;
  readonly #reads: Reads;
  readonly #mutations: Mutations;
  readonly #unpublished = new Unpublished();
  #revision: Revision = 1;
  #publishedRevision: Revision = 1;
  #position: Position = 0;
  #lastTimeMs = 0;
  #publishedTimeMs = 0;
  /** The compact revision that the backend has been told. */
  #toldCompactRevision: Revision = 0;
  #toldPosition: Position = 0;

  constructor(options: StoreOptions) {
    const { limits } = options;
    const { keys, history, counters } = this;
    this.storeId = options.storeId;
    this.#limits = limits;
    this.#backend = options.backend;
    this.lessor = new Lessor(options.randomLeaseId);
    this.hub = new Hub(limits, counters);
    const { lessor } = this;
    this.retention = new Retention({ keys, history, lessor, counters, limits });
    const { retention } = this;
    this.#reads = new Reads({ keys, retention, counters });
    this.#mutations = new Mutations({ keys, lessor, retention, counters });
    options.backend.listen({
      durable: () => this.#publish(),
      truncated: () => this.#takeBack(),
    });
  }

  /** The head: the revision of the last commit. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The newest revision that may be shown. */
  get publishedRevision(): Revision {
    return this.#publishedRevision;
  }

  /** The commit time of the head; 0 when there was no commit. */
  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  /** The last record handed to the backend: what saw the head waits for it. */
  get position(): Position {
    return this.#position;
  }

  /** Goes on where a store was that has been carried over: only before anything else. */
  resume(from: {
    readonly revision: Revision;
    readonly compactRevision: Revision;
    readonly timeMs: number;
  }): void {
    this.#setHead(from.revision, from.timeMs);
    this.#toldCompactRevision = from.compactRevision;
    this.retention.compactor.resume(from.compactRevision);
  }

  /** Takes a commit whose changes are made: one that is durable, in a replay. */
  adopt(commit: Commit): void {
    this.history.push(commit);
    this.#setHead(commit.revision, commit.timeMs);
  }

  /** Goes to a revision, with nothing in between, and compacts all history there. */
  goTo(revision: Revision): void {
    this.#setHead(revision, this.#lastTimeMs);
    const { compactor } = this.retention;
    compactor.request(revision);
    compactor.raiseFloor(undefined);
    compactor.walk(Number.POSITIVE_INFINITY);
    this.#toldCompactRevision = revision;
  }

  /**
   * Goes on above a revision up to which others may have been given out and lost: all history is
   * compacted there, so that nobody who saw those can go on as if nothing had happened.
   */
  skipTo(revision: Revision): void {
    this.goTo(revision);
    this.#toldCompactRevision = 0;
    this.#log({});
  }

  /** From here on deadlines of leases, kept in running time, are those of the engine's clock. */
  start(runningMs: number, now: Now): void {
    this.lessor.shift(now.monotonicMs - runningMs);
  }

  #setHead(revision: Revision, timeMs: number): void {
    this.#revision = revision;
    this.#publishedRevision = revision;
    this.#lastTimeMs = timeMs;
    this.#publishedTimeMs = timeMs;
  }

  get(command: GetCommand): GetResult {
    return this.#reads.get(command, this.#publishedRevision);
  }

  /** Begins a listing; its revision stays readable until endRange() or abandonRange(). */
  beginRange(query: RangeQuery): RangeRead {
    const read = this.#reads.range(query, this.#publishedRevision);
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
    return rangeResult(read, query, this.#publishedRevision);
  }

  abandonRange(read: RangeRead): void {
    this.retention.stopReading(read);
  }

  put(command: PutCommand, now: Now): PutResult {
    return this.#write(now, (builder) => this.#mutations.put(builder, command, this.#moment(now)));
  }

  delete(command: DeleteCommand, now: Now): DeleteResult {
    const visits = this.#visits();
    return this.#write(now, (builder) => this.#mutations.delete(builder, command, visits));
  }

  txn(command: TxnCommand, options: TxnOptions, now: Now): TxnResult {
    refuseDuplicates(command);
    const visits = this.#visits();
    const choice = chooseBranches(command, this.keys, visits, this.#revision);
    return this.#write(now, (builder) => {
      const budget = new ResultBudget(options.maxBytes);
      const moment = this.#moment(now);
      const reads = this.#reads;
      const mutations = this.#mutations;
      return new TxnRun({ builder, reads, mutations, budget, visits, moment }).run(choice);
    });
  }

  /** All operations in order, each on its own; gets see `visible`, or the head by default. */
  batch(command: BatchCommand, now: Now, visible?: Revision): BatchResult {
    const results = runBatch(command, {
      get: (get) => this.#reads.get(get, visible ?? this.#revision),
      put: (put) => this.put(put, now),
      delete: (remove) => this.delete(remove, now),
      present: (key) => presentEntry(this.keys.get(latin1FromBytes(key))),
    });
    return { revision: visible ?? this.#revision, results };
  }

  grant(command: { readonly id: LeaseId; readonly ttlMs: number }, now: Now): LeaseInfo {
    const { id, ttlMs } = command;
    if (id !== NO_LEASE && this.lessor.find(id) !== undefined) {
      throw new KvdError("LEASE_EXISTS", `there is a lease ${id} already`);
    }
    const { leasesMax } = this.#limits;
    if (this.lessor.grantedSize >= leasesMax) {
      const text = `there are ${leasesMax} leases, as many as there may be (--leases-max)`;
      throw new KvdError("TOO_MANY_LEASES", text);
    }
    this.retention.makeRoomForLease(this.#publishedRevision);
    const chosen = id === NO_LEASE ? this.lessor.chooseId() : id;
    const granted = { id: chosen, ttlMs, ofPut: false };
    const lease = this.#log({ granted: [granted] }, () => {
      const begun = this.lessor.begin({ ...granted, nowMs: now.monotonicMs });
      return { result: begun, begun: [begun] };
    });
    return this.lessor.info(lease, now.monotonicMs);
  }

  /** The full time that the lease has again; 0 when it is gone. */
  keepAlive(command: { readonly id: LeaseId }, now: Now): number {
    const lease = this.lessor.find(command.id);
    if (lease === undefined) return 0;
    this.#log({ renewed: [lease.id] }, () => {
      const renewed = { lease, rank: lease.rank };
      this.lessor.renew(lease, now.monotonicMs);
      return { result: undefined, renewed };
    });
    return lease.ttlMs;
  }

  revoke(command: { readonly id: LeaseId }, now: Now): { revision: Revision; deleted: number } {
    const deleted = this.#endLease(this.lessor.require(command.id), "revoked", now);
    return { revision: this.#revision, deleted };
  }

  timeToLive(
    query: { readonly id: LeaseId; readonly withKeys: boolean; readonly maxBytes: number },
    now: Now,
  ): LeaseKeys {
    const lease = this.lessor.require(query.id);
    const keys: Uint8Array[] = [];
    let bytes = 0;
    for (const key of query.withKeys ? [...lease.keys].sort() : []) {
      bytes += key.length + ENTRY_OVERHEAD_BYTES;
      if (bytes > query.maxBytes) break;
      keys.push(bytesFromLatin1(key));
    }
    const more = query.withKeys && keys.length < lease.keys.size;
    return { ...this.lessor.info(lease, now.monotonicMs), keys, more };
  }

  leases(
    query: { readonly after: LeaseId | undefined; readonly limit: number },
    now: Now,
  ): { leases: readonly LeaseInfo[]; more: boolean } {
    const leases: LeaseInfo[] = [];
    for (const lease of this.lessor.above(query.after)) {
      if (leases.length >= query.limit) return { leases, more: true };
      leases.push(this.lessor.info(lease, now.monotonicMs));
    }
    return { leases, more: false };
  }

  /** When the next lease ends, in monotonic milliseconds; Infinity when there is none. */
  get nextExpiryMs(): number {
    return this.lessor.next?.rank ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Ends leases whose time is over, a commit each, until about `maxKeys` keys went; true when done.
   */
  expire(now: Now, maxKeys: number): boolean {
    let keys = 0;
    while (this.nextExpiryMs <= now.monotonicMs) {
      if (keys >= maxKeys) return false;
      keys += 1 + this.#endLease(this.lessor.next as Lease, "expired", now);
    }
    return true;
  }

  compact(command: { readonly revision: Revision }, now: Now): void {
    this.retention.refuseFuture(command.revision, this.#publishedRevision);
    this.retention.refuseCompact(command.revision);
    this.#log({ compactRevision: command.revision });
    this.retention.compact(command.revision, now);
  }

  /**
   * Logs the compact revision if the backend does not know it yet: before it is shown to anybody.
   * Compaction by the store's own rules is told with the next commit otherwise.
   *
   * Gives the position that has it.
   *
   * @throws KvdError LOG_FAILED.
   */
  tellCompaction(): Position {
    if (this.#untoldCompactRevision !== undefined) this.#log({});
    return this.#toldPosition;
  }

  /** Logs what time it is, for the leases: what remains of them after a crash follows from it. */
  tellTime(): void {
    this.#log({});
  }

  /** Takes compaction a step further; true when there is nothing more to do now. */
  maintain(now: Now, maxChanges: number): boolean {
    return this.retention.maintain(now, maxChanges, this.#publishedRevision);
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
    const published = this.#publishedRevision;
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
        return store.#publishedRevision;
      },
      commitAt: (revision) => store.history.at(revision),
      hold,
      readCurrent(query) {
        hold(query.revision);
        return store.#reads.range(query, store.#publishedRevision);
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
    return { nowMs: now.monotonicMs, published: this.#publishedRevision };
  }

  /** Runs a mutation as one commit, or as none when it changes nothing or throws. */
  #write<T>(now: Now, apply: (builder: CommitBuilder) => T, ending?: Lease): T {
    const builder = new CommitBuilder(this.keys, this.lessor, this.#revision + 1);
    let record: LogRecord | undefined;
    let ended: readonly Lease[] = [];
    let result: T;
    try {
      result = apply(builder);
      if (builder.changes.length > 0) {
        ended = builder.ended(ending);
        record = this.#recordOf(builder, ended, now);
        this.#backend.reserve(record);
      }
    } catch (error) {
      builder.abandon();
      throw error;
    }
    if (record !== undefined) this.#adopt(builder, record, ended);
    return result;
  }

  #recordOf(builder: CommitBuilder, ended: readonly Lease[], now: Now): LogRecord {
    return {
      revision: builder.revision,
      timeMs: Math.max(this.#lastTimeMs, Math.floor(now.wallMs)),
      changes: builder.changes.slice(),
      granted: builder.granted,
      renewed: NONE,
      ended: ended.map(({ id }) => id),
      compactRevision: this.#untoldCompactRevision,
    };
  }

  /** From here on nothing can fail. */
  #adopt(builder: CommitBuilder, record: LogRecord, ended: readonly Lease[]): void {
    const { revision, timeMs, changes } = record;
    const commit = { revision, timeMs, changes };
    for (const lease of ended) this.lessor.end(lease);
    this.history.push(commit);
    this.#revision = revision;
    this.#lastTimeMs = timeMs;
    this.#append(record, { commit, begun: builder.begun, ended });
  }

  /** Logs what is no commit, and then does it. */
  #log<T>(what: Partial<LogRecord>, act: () => { readonly result: T } & Partial<Step>): T;
  #log(what: Partial<LogRecord>): void;
  #log<T>(what: Partial<LogRecord>, act?: () => { readonly result: T } & Partial<Step>) {
    const record: LogRecord = {
      revision: this.#revision,
      timeMs: this.#lastTimeMs,
      changes: NONE,
      granted: NONE,
      renewed: NONE,
      ended: NONE,
      compactRevision: this.#untoldCompactRevision,
      ...what,
    };
    this.#backend.reserve(record);
    const done = act?.();
    this.#append(record, done ?? {});
    return done?.result;
  }

  #append(record: LogRecord, step: Partial<Step>): void {
    this.#position = this.#backend.append(record);
    if (record.compactRevision !== undefined) {
      this.#toldCompactRevision = record.compactRevision;
      this.#toldPosition = this.#position;
    }
    const { commit, begun = NONE, ended = NONE, renewed } = step;
    this.#unpublished.push({ position: this.#position, commit, begun, ended, renewed });
    this.#publish();
  }

  get #untoldCompactRevision(): Revision | undefined {
    const { compactRevision } = this.retention.compactor;
    return compactRevision > this.#toldCompactRevision ? compactRevision : undefined;
  }

  #publish(): void {
    for (const { commit } of this.#unpublished.take(this.#backend.durablePosition)) {
      if (commit === undefined) continue;
      this.#publishedRevision = commit.revision;
      this.#publishedTimeMs = commit.timeMs;
      this.hub.publish(commit);
    }
  }

  /** What was not published will never be. */
  #takeBack(): void {
    this.#unpublished.undo(this);
    this.#revision = this.#publishedRevision;
    this.#lastTimeMs = this.#publishedTimeMs;
    this.#position = this.#backend.durablePosition;
    this.#toldCompactRevision = 0;
    this.#toldPosition = 0;
  }

  /** Deletes a lease's keys in one commit, in key order, and the lease. */
  #endLease(lease: Lease, reason: "expired" | "revoked", now: Now): number {
    const keys = [...lease.keys].sort();
    if (keys.length === 0) {
      this.#log({ ended: [lease.id] }, () => {
        this.lessor.end(lease);
        return { result: undefined, ended: [lease] };
      });
      return 0;
    }
    const end = (builder: CommitBuilder) => {
      for (const key of keys) builder.delete(this.keys.get(key) as KeyRecord, reason);
    };
    this.#write(now, end, lease);
    return keys.length;
  }
}

const NONE: readonly never[] = [];
