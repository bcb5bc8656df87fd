// The store: every operation of the service over keys in memory, synchronous and deterministic.
//
// A mutation is one turn: it is checked, applied through a CommitBuilder, handed to the backend, and
// only then the revision moves; whatever throws before that takes everything back. `revision` is the
// head; `publishedRevision` is the newest that is durable, and all that plain reads and watches see.
// Time comes as an argument, randomness and the backend at construction. Waiting is the engine's.

import { KvdError, showKey } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type {
  BatchCommand,
  BatchOperation,
  BatchResult,
  BatchResultItem,
  DeleteCommand,
  DeleteResult,
  Entry,
  GetCommand,
  GetResult,
  LeaseId,
  LeaseInfo,
  LeaseKeys,
  OperationResult,
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
import { ENTRY_OVERHEAD_BYTES, entryBytes, NO_LEASE } from "../kv/types.js";
import { bytesFromLatin1, latin1FromBytes } from "../lib/bytes.js";
import type { Backend, LogRecord, Position } from "./backend.js";
import { CommitBuilder, refuseFullLease } from "./commit-builder.js";
import { Compactor } from "./compactor.js";
import { type Counters, newCounters } from "./counters.js";
import { History } from "./history.js";
import { Hub, type HubLimits } from "./hub.js";
import { KeySpace } from "./key-space.js";
import { type Lease, Lessor } from "./lessor.js";
import { Pins } from "./pins.js";
import { RangeRead, textBoundsOfSelector } from "./range-read.js";
import { type Choice, chooseBranches, refuseDuplicates } from "./txn.js";
import { type Commit, entryOfVersion, type KeyRecord, versionBytesOf } from "./version.js";
import { type Pull, Watch, type WatchSource } from "./watch.js";

export type StoreLimits = HubLimits &
  Pick<
    Limits,
    | "storeMaxBytes"
    | "historyMaxBytes"
    | "historyMaxAgeMs"
    | "leasesMax"
    | "listingPinMs"
    | "watchersMax"
  >;

export interface StoreOptions {
  readonly limits: StoreLimits;
  readonly storeId: string;
  /** Positive int64s for leases. */
  readonly randomLeaseId: () => bigint;
  readonly backend: Backend;
}

/** The moment of a call. */
export interface Now {
  /** Milliseconds since 1970; may jump. */
  readonly wallMs: number;
  /** Milliseconds; never goes back. */
  readonly monotonicMs: number;
}

/** What a result of a batch or a txn weighs besides its entries. */
const RESULT_BYTES = 64;

/** Changes that one step of compaction walks on behalf of a write that needs room. */
const ROOM_STEP_CHANGES = 1000;

export class Store {
  readonly storeId: string;
  readonly counters: Counters = newCounters();
  readonly keys = new KeySpace();
  readonly history = new History();
  readonly lessor: Lessor;
  readonly compactor = new Compactor(this.keys, this.history, this.counters);
  readonly hub: Hub;
  readonly #limits: StoreLimits;
  readonly #backend: Backend;
  readonly #pins: Pins;
  /** Revisions of calls that are reading in slices. */
  readonly #reading = new Map<RangeRead, Revision>();
  readonly #unpublished: { readonly position: Position; readonly commit: Commit }[] = [];
  #revision: Revision = 1;
  #publishedRevision: Revision = 1;
  #position: Position = 0;
  #lastTimeMs = 0;

  constructor(options: StoreOptions) {
    this.storeId = options.storeId;
    this.#limits = options.limits;
    this.#backend = options.backend;
    this.lessor = new Lessor(options.randomLeaseId);
    this.hub = new Hub(options.limits, this.counters);
    this.#pins = new Pins(options.limits.listingPinMs);
    options.backend.onDurable(() => this.#publish());
  }

  /** The head: the revision of the last commit. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The newest revision that may be shown. */
  get publishedRevision(): Revision {
    return this.#publishedRevision;
  }

  /** The last record handed to the backend: what saw the head waits for it. */
  get position(): Position {
    return this.#position;
  }

  get(command: GetCommand, visible: Revision = this.#publishedRevision): GetResult {
    const revision = this.#readable(command.revision, visible);
    this.counters.entriesVisited += 1;
    this.counters.seeks += 1;
    const record = this.keys.get(latin1FromBytes(command.key));
    const live = record?.liveAt(revision);
    const entry =
      record === undefined || live === undefined ? undefined : entryOfVersion(record, live);
    return { revision, currentRevision: visible, entry };
  }

  /** Begins a listing; its revision stays readable until endRange(). */
  beginRange(query: RangeQuery): RangeRead {
    const resumed = query.resume !== undefined;
    const revision = this.#readable(query.revision, this.#publishedRevision, resumed);
    const read = new RangeRead(this.keys, this.counters, query, revision);
    this.#reading.set(read, revision);
    return read;
  }

  /** Walks on; true when the page is done. @throws REVISION_COMPACTED when history had to go. */
  runRange(read: RangeRead, maxVisits: number): boolean {
    if (read.revision < this.compactor.floor) throw this.#compacted(read.revision);
    this.counters.slices += 1;
    return read.run(maxVisits);
  }

  /** The page. With rows remaining, the listing's revision is pinned for a while. */
  endRange(read: RangeRead, query: RangeQuery, now: Now): RangeResult {
    this.abandonRange(read);
    if (read.next !== undefined) this.#pins.pin(read.revision, now.monotonicMs);
    return rangeResult(read, query, this.#publishedRevision);
  }

  abandonRange(read: RangeRead): void {
    this.#reading.delete(read);
  }

  put(command: PutCommand, now: Now): PutResult {
    return this.#write(now, (builder) => this.#putIn(builder, command, now));
  }

  delete(command: DeleteCommand, now: Now): DeleteResult {
    return this.#write(now, (builder) => this.#deleteIn(builder, command));
  }

  txn(command: TxnCommand, options: TxnOptions, now: Now): TxnResult {
    refuseDuplicates(command);
    const choice = chooseBranches(command, this.keys, this.counters, this.#revision);
    const budget = { bytes: options.maxBytes };
    return this.#write(now, (builder) => this.#runTxn(builder, choice, "", budget, now));
  }

  /** All operations in order, each on its own. `visible` is what a batch of gets alone may see. */
  batch(command: BatchCommand, now: Now, visible: Revision | undefined): BatchResult {
    let spare = command.maxBytes - command.operations.length * RESULT_BYTES;
    const results = command.operations.map((operation): BatchResultItem => {
      try {
        const { item, bytes } = this.#runAlone(operation, spare, now, visible);
        spare -= bytes;
        return item;
      } catch (error) {
        if (!(error instanceof KvdError)) throw error;
        return { kind: "failure", error };
      }
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
    const chosen = id === NO_LEASE ? this.lessor.chooseId() : id;
    const granted = { id: chosen, ttlMs, ofPut: false };
    this.#log({ kind: "lease-granted", lease: granted });
    const lease = this.lessor.begin({ ...granted, nowMs: now.monotonicMs });
    return this.lessor.info(lease, now.monotonicMs);
  }

  /** The full time that the lease has again; 0 when it is gone. */
  keepAlive(command: { readonly id: LeaseId }, now: Now): number {
    const lease = this.lessor.find(command.id);
    if (lease === undefined) return 0;
    this.#log({ kind: "lease-renewed", id: lease.id });
    this.lessor.renew(lease, now.monotonicMs);
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

  /** Ends leases whose time is over, a commit each, until about `maxKeys` keys went; true when done. */
  expire(now: Now, maxKeys: number): boolean {
    let keys = 0;
    while (this.nextExpiryMs <= now.monotonicMs) {
      if (keys >= maxKeys) return false;
      keys += 1 + this.#endLease(this.lessor.next as Lease, "expired", now);
    }
    return true;
  }

  compact(command: { readonly revision: Revision }, now: Now): void {
    const { revision } = command;
    if (revision > this.#publishedRevision) throw this.#future(revision, this.#publishedRevision);
    if (revision <= this.compactor.compactRevision) throw this.#compacted(revision);
    this.compactor.request(revision);
    this.compactor.raiseFloor(this.#lowestPinned(now));
  }

  /**
   * Takes compaction a step further, over about `maxChanges` changes: for who asked for it, for the
   * history's budget of bytes (which listings that pause do not hold up), for its age. True when
   * there is nothing more to do now.
   */
  maintain(now: Now, maxChanges: number): boolean {
    if (this.compactor.held) this.compactor.raiseFloor(this.#lowestPinned(now));
    let left = maxChanges;
    while (left > 0) {
      left -= Math.max(1, this.history.oldest?.changes.length ?? 1);
      if (!this.compactor.walk(1)) continue;
      if (!this.#dropByBudget() && !this.#dropByAge(now)) return !this.compactor.pending;
    }
    return false;
  }

  /** When a pin ends that holds compaction up; undefined when none does. */
  get compactionHeldUntilMs(): number | undefined {
    return this.compactor.held ? this.#pins.nextEndMs : undefined;
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
    if (storeId !== undefined && storeId !== this.storeId) {
      watch.refuse(
        new KvdError(
          "STORE_CHANGED",
          `the watch is for store ${storeId.slice(0, 64)}, this is store ${this.storeId}`,
          { storeId: this.storeId },
        ),
      );
    } else if (startRevision !== 0 && startRevision < this.compactor.compactRevision) {
      watch.end(this.#compacted(startRevision));
    }
    return watch;
  }

  pull(watch: Watch): Pull {
    return this.hub.pull(watch);
  }

  #watchSource(nowMs: () => number): WatchSource {
    const store = this;
    return {
      get publishedRevision() {
        return store.#publishedRevision;
      },
      commitAt: (revision) => store.history.at(revision),
      hold(revision) {
        if (revision < store.compactor.floor) throw store.#compacted(revision);
        store.#pins.pin(revision, nowMs());
      },
      readCurrent(spec, resume, revision) {
        if (revision < store.compactor.floor) throw store.#compacted(revision);
        store.#pins.pin(revision, nowMs());
        const query = {
          selector: spec.selector,
          order: "ascending",
          limit: 0,
          keysOnly: false,
          count: "no",
          delimiter: new Uint8Array(0),
          resume,
          maxBytes: spec.maxBytes,
        } as const;
        return new RangeRead(store.keys, store.counters, query, revision);
      },
    };
  }

  /** Runs a mutation as one commit, or as none when it changes nothing or throws. */
  #write<T>(now: Now, apply: (builder: CommitBuilder) => T, ending?: Lease): T {
    const builder = new CommitBuilder(this.keys, this.lessor, this.#revision + 1);
    let record: (LogRecord & { kind: "commit" }) | undefined;
    let result: T;
    try {
      result = apply(builder);
      record = this.#recordOf(builder, now, ending);
      if (record !== undefined) this.#backend.reserve(record);
    } catch (error) {
      builder.abandon();
      throw error;
    }
    if (record !== undefined) this.#adopt(builder, record);
    return result;
  }

  #recordOf(builder: CommitBuilder, now: Now, ending: Lease | undefined) {
    if (builder.changes.length === 0) return undefined;
    const timeMs = Math.max(this.#lastTimeMs, Math.floor(now.wallMs));
    const commit = { revision: builder.revision, timeMs, changes: builder.changes };
    const ended = new Set(builder.emptied.map(({ id }) => id));
    if (ending !== undefined) ended.add(ending.id);
    return { kind: "commit", commit, granted: builder.granted, ended: [...ended] } as const;
  }

  /** From here on nothing can fail. */
  #adopt(builder: CommitBuilder, record: LogRecord & { kind: "commit" }): void {
    const { commit } = record;
    builder.finish();
    this.history.push(commit);
    this.#revision = commit.revision;
    this.#lastTimeMs = commit.timeMs;
    this.#position = this.#backend.append(record);
    this.#unpublished.push({ position: this.#position, commit });
    this.#publish();
  }

  #publish(): void {
    const durable = this.#backend.durablePosition;
    let published = 0;
    for (const { position, commit } of this.#unpublished) {
      if (position > durable) break;
      published += 1;
      this.#publishedRevision = commit.revision;
      this.hub.publish(commit);
    }
    this.#unpublished.splice(0, published);
  }

  #log(record: LogRecord): void {
    this.#backend.reserve(record);
    this.#position = this.#backend.append(record);
  }

  #putIn(builder: CommitBuilder, command: PutCommand, now: Now): PutResult {
    const { key, value, lease } = command;
    const text = latin1FromBytes(key);
    const record = this.keys.get(text);
    const live = record?.live;
    this.#refuseStale(key, live?.revision ?? 0, command.expectedModRevision);
    if (lease.kind === "lease") {
      refuseFullLease(this.lessor.require(lease.id), { text, key, maxKeys: lease.maxKeys });
    }
    const before =
      live === undefined ? 0 : versionBytesOf({ key: key.length, value: live.value.length });
    this.#makeRoom(key, before, versionBytesOf({ key: key.length, value: value.length }));
    const previous =
      command.returnPrevious && record !== undefined && live !== undefined
        ? entryOfVersion(record, live)
        : undefined;
    let leaseId = NO_LEASE;
    if (lease.kind === "lease") leaseId = lease.id;
    else if (lease.kind === "keep") leaseId = live?.leaseId ?? NO_LEASE;
    else if (lease.kind === "ttl") leaseId = builder.beginLease(lease.ttlMs, now.monotonicMs);
    builder.put({ text, key, value, leaseId });
    const ttlMs = leaseId === NO_LEASE ? 0 : (this.lessor.find(leaseId)?.ttlMs ?? 0);
    return { revision: builder.revision, previous, leaseId, ttlMs };
  }

  #deleteIn(builder: CommitBuilder, command: DeleteCommand): DeleteResult {
    const { selector, expectedModRevision } = command;
    if (selector.kind === "key" && expectedModRevision !== undefined) {
      const live = this.keys.get(latin1FromBytes(selector.key))?.live;
      this.#refuseStale(selector.key, live?.revision ?? 0, expectedModRevision);
    }
    const { records, more } = this.#victims(command);
    const previous = command.returnPrevious ? previousOf(records, command.maxBytes) : [];
    for (const record of records) builder.delete(record, "deleted");
    const revision = this.#seenRevision(builder);
    return { revision, deleted: records.length, more, previous };
  }

  #victims(command: DeleteCommand): { records: KeyRecord[]; more: boolean } {
    const { start, end } = textBoundsOfSelector(command.selector);
    const records: KeyRecord[] = [];
    const walk = this.keys.ascend(start);
    this.counters.seeks += 1;
    for (let step = walk.next(); step !== undefined; step = walk.next()) {
      const [key, record] = step;
      if (end !== undefined && key >= end) break;
      this.counters.entriesVisited += 1;
      if (record.live === undefined) continue;
      if (command.limit > 0 && records.length === command.limit) return { records, more: true };
      if (records.length === command.maxKeys) {
        throw new KvdError(
          "TOO_MANY_KEYS",
          `the delete would remove more than ${command.maxKeys} keys (--delete-max-keys): ` +
            "give a limit and go on while there are more",
        );
      }
      records.push(record);
    }
    return { records, more: false };
  }

  #runTxn(
    builder: CommitBuilder,
    choice: Choice,
    path: string,
    budget: { bytes: number },
    now: Now,
  ): TxnResult {
    const { succeeded } = choice;
    const branch = succeeded ? "success" : "failure";
    const results: OperationResult[] = [];
    for (const [index, operation] of choice.operations.entries()) {
      const at = `${path}${branch}[${index}]`;
      try {
        budget.bytes -= RESULT_BYTES;
        if (operation.kind === "txn") {
          const nested = choice.nested.get(index) as Choice;
          const txn = this.#runTxn(builder, nested, `${at}.txn.`, budget, now);
          results.push({ kind: "txn", txn });
        } else {
          results.push(this.#runOperation(builder, operation, budget, now));
        }
      } catch (error) {
        if (!(error instanceof KvdError) || error.details.operation !== undefined) throw error;
        throw error.with({ operation: at });
      }
    }
    return { revision: this.#seenRevision(builder), succeeded, results };
  }

  #runOperation(
    builder: CommitBuilder,
    operation: Exclude<TxnCommand["success"][number], { kind: "txn" }>,
    budget: { bytes: number },
    now: Now,
  ): OperationResult {
    switch (operation.kind) {
      case "get": {
        const read = this.#getIn(builder, operation.get);
        spend(budget, read.entry === undefined ? 0 : entryBytes(read.entry));
        return { kind: "get", get: read };
      }
      case "range": {
        const range = this.#rangeIn(builder, operation.range, budget);
        return { kind: "range", range };
      }
      case "put": {
        const put = this.#putIn(builder, operation.put, now);
        spend(budget, put.previous === undefined ? 0 : entryBytes(put.previous));
        return { kind: "put", put };
      }
      case "delete": {
        const maxBytes = Math.min(operation.delete.maxBytes, budget.bytes);
        const deleted = this.#deleteIn(builder, { ...operation.delete, maxBytes });
        for (const entry of deleted.previous) spend(budget, entryBytes(entry));
        return { kind: "delete", delete: deleted };
      }
    }
  }

  #getIn(builder: CommitBuilder, command: GetCommand): GetResult {
    if (command.revision !== 0) return this.get(command, this.#revision);
    const read = this.get({ ...command, revision: builder.revision }, builder.revision);
    const revision = this.#seenRevision(builder);
    return { ...read, revision, currentRevision: revision };
  }

  #rangeIn(builder: CommitBuilder, query: RangeQuery, budget: { bytes: number }): RangeResult {
    const now = query.revision === 0;
    const revision = now ? builder.revision : this.#readable(query.revision, this.#revision);
    const maxBytes = Math.min(query.maxBytes, budget.bytes);
    const read = new RangeRead(this.keys, this.counters, { ...query, maxBytes }, revision);
    read.run(Number.POSITIVE_INFINITY);
    if (read.remaining === "bytes") throw resultTooLarge("the range", maxBytes);
    spend(budget, read.bytes);
    const seen = this.#seenRevision(builder);
    return { ...rangeResult(read, query, seen), revision: now ? seen : revision };
  }

  #runAlone(
    operation: BatchOperation,
    spare: number,
    now: Now,
    visible: Revision | undefined,
  ): { item: BatchResultItem; bytes: number } {
    switch (operation.kind) {
      case "get": {
        const get = this.get(operation.get, visible ?? this.#revision);
        return { item: { kind: "get", get }, bytes: fitting(get.entry, spare) };
      }
      case "put": {
        const previous = operation.put.returnPrevious
          ? this.#present(operation.put.key)
          : undefined;
        const bytes = fitting(previous, spare);
        return { item: { kind: "put", put: this.put(operation.put, now) }, bytes };
      }
      case "delete": {
        const maxBytes = Math.min(operation.delete.maxBytes, spare);
        const deleted = this.delete({ ...operation.delete, maxBytes }, now);
        let bytes = 0;
        for (const entry of deleted.previous) bytes += entryBytes(entry);
        return { item: { kind: "delete", delete: deleted }, bytes };
      }
      case "refused":
        return { item: { kind: "failure", error: operation.error }, bytes: 0 };
    }
  }

  #present(key: Uint8Array): Entry | undefined {
    const record = this.keys.get(latin1FromBytes(key));
    const live = record?.live;
    return record === undefined || live === undefined ? undefined : entryOfVersion(record, live);
  }

  /** Deletes a lease's keys in one commit, in key order, and the lease. */
  #endLease(lease: Lease, reason: "expired" | "revoked", now: Now): number {
    const keys = [...lease.keys].sort();
    if (keys.length === 0) this.#log({ kind: "lease-ended", id: lease.id });
    const end = (builder: CommitBuilder) => {
      for (const key of keys) builder.delete(this.keys.get(key) as KeyRecord, reason);
    };
    this.#write(now, end, lease);
    if (this.lessor.find(lease.id) === lease) this.lessor.end(lease);
    return keys.length;
  }

  /** The revision that a step of a commit in the making reflects. */
  #seenRevision(builder: CommitBuilder): Revision {
    return builder.changes.length > 0 ? builder.revision : this.#revision;
  }

  #refuseStale(key: Uint8Array, modRevision: Revision, expected: Revision | undefined): void {
    if (expected === undefined || expected === modRevision) return;
    const is = modRevision === 0 ? "is absent" : `has mod revision ${modRevision}`;
    const wanted = expected === 0 ? "it must be absent" : `mod revision ${expected} is expected`;
    throw new KvdError("PRECONDITION_FAILED", `key ${showKey(key)} ${is}, ${wanted}`, {
      modRevision,
      revision: this.#revision,
    });
  }

  #readable(wanted: Revision, visible: Revision, resumed = false): Revision {
    if (wanted === 0) return visible;
    if (wanted > visible) throw this.#future(wanted, visible);
    const lowest = resumed ? this.compactor.floor : this.compactor.compactRevision;
    if (wanted < lowest) throw this.#compacted(wanted);
    return wanted;
  }

  #future(wanted: Revision, visible: Revision): KvdError {
    const text = `revision ${wanted} is above the store's revision ${visible}`;
    return new KvdError("REVISION_FUTURE", text, { revision: visible });
  }

  #compacted(wanted: Revision): KvdError {
    const { compactRevision } = this.compactor;
    const relation = wanted === compactRevision ? "is" : "is below";
    const text = `revision ${wanted} ${relation} the compact revision ${compactRevision}`;
    return new KvdError("REVISION_COMPACTED", text, { compactRevision });
  }

  #lowestPinned(now: Now): Revision | undefined {
    let lowest = this.#pins.lowest(now.monotonicMs);
    for (const revision of this.#reading.values()) {
      if (lowest === undefined || revision < lowest) lowest = revision;
    }
    return lowest;
  }

  /** Gives up the oldest revision when history is above its budget; calls that run now hold it. */
  #dropByBudget(): boolean {
    const { historyMaxBytes, storeMaxBytes } = this.#limits;
    const { historyBytes, liveBytes } = this.keys;
    const above =
      (historyMaxBytes > 0 && historyBytes > historyMaxBytes) ||
      historyBytes + liveBytes > storeMaxBytes;
    if (!above) return false;
    let held: Revision | undefined;
    for (const revision of this.#reading.values()) held = Math.min(held ?? revision, revision);
    return this.#dropOldest(held);
  }

  #dropByAge(now: Now): boolean {
    const { historyMaxAgeMs } = this.#limits;
    const oldest = this.history.oldest;
    if (historyMaxAgeMs === 0 || oldest === undefined) return false;
    if (oldest.timeMs > now.wallMs - historyMaxAgeMs) return false;
    return this.#dropOldest(this.#lowestPinned(now));
  }

  /** Moves the compact revision to the one after the oldest that is kept, if nothing holds it. */
  #dropOldest(held: Revision | undefined): boolean {
    const next = Math.max(this.compactor.floor, this.history.oldest?.revision ?? 0) + 1;
    if (next > this.#publishedRevision || (held !== undefined && next > held)) return false;
    this.compactor.request(next);
    this.compactor.raiseFloor(next);
    return true;
  }

  /** @throws STORE_FULL when a growing write does not fit even without history. */
  #makeRoom(key: Uint8Array, before: number, after: number): void {
    const { storeMaxBytes } = this.#limits;
    const { liveBytes, historyBytes } = this.keys;
    if (after > before && liveBytes - before + after > storeMaxBytes) {
      throw new KvdError(
        "STORE_FULL",
        `the store holds ${liveBytes} bytes of at most ${storeMaxBytes} (--store-max-bytes): ` +
          `key ${showKey(key)} cannot be written; reads and deletes go on`,
      );
    }
    if (liveBytes + historyBytes + after <= storeMaxBytes) return;
    while (this.keys.liveBytes + this.keys.historyBytes + after > storeMaxBytes) {
      if (!this.compactor.pending && !this.#dropOldest(undefined)) return;
      this.compactor.walk(ROOM_STEP_CHANGES);
    }
  }
}

function spend(budget: { bytes: number }, bytes: number): void {
  if (bytes > budget.bytes) throw resultTooLarge("the txn's results", budget.bytes);
  budget.bytes -= bytes;
}

/** What an entry adds to a batch's answer. @throws RESULT_TOO_LARGE when it does not fit. */
function fitting(entry: Entry | undefined, spare: number): number {
  const bytes = entry === undefined ? 0 : entryBytes(entry);
  if (bytes > 0 && bytes > spare) throw resultTooLarge("the entry", spare);
  return bytes;
}

function previousOf(records: readonly KeyRecord[], maxBytes: number): Entry[] {
  const previous: Entry[] = [];
  let bytes = 0;
  for (const record of records) {
    const live = record.live;
    if (live === undefined) continue;
    const entry = entryOfVersion(record, live);
    bytes += entryBytes(entry);
    if (bytes > maxBytes) throw resultTooLarge("the deleted entries", maxBytes);
    previous.push(entry);
  }
  return previous;
}

function resultTooLarge(what: string, maxBytes: number): KvdError {
  const room = Math.max(0, maxBytes);
  const text = `${what} would not fit into the answer, where ${room} bytes are left (--response-max-bytes)`;
  return new KvdError("RESULT_TOO_LARGE", text);
}

function rangeResult(read: RangeRead, query: RangeQuery, currentRevision: Revision): RangeResult {
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
