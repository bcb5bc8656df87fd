// The store behind the asynchronous Engine interface.
//
// It adds what the store must not know: waiting until what a call saw is durable (answers), turns
// between the slices of long work (long-reads), timers, the end of watches that nobody reads. Plain
// reads see the published revision and wait for nothing.

import type {
  Engine,
  EngineStatus,
  PromptCalls,
  SnapshotStream,
  VersionWalk,
} from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import {
  type BatchCommand,
  type BatchResult,
  type DeleteCommand,
  type GetCommand,
  isRead,
  type LeaseId,
  type PutCommand,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type TxnCommand,
  type TxnOptions,
  type WatchSpec,
} from "../kv/types.js";
import type { Clock } from "../lib/clock.js";
import type { Backend } from "../store/backend.js";
import { isOfCompaction } from "../store/batch-run.js";
import { checkStore } from "../store/check.js";
import type { Store } from "../store/store.js";
import type { DataDirectory } from "../wal/data-directory.js";
import type { Log } from "../wal/log.js";
import { Answers } from "./answers.js";
import { DirectStore } from "./direct-batch.js";
import { LongReads } from "./long-reads.js";
import type { MemoryWatcher } from "./memory-watcher.js";
import { OpenWatches } from "./open-watches.js";
import type { SnapshotKeeper } from "./snapshot-keeper.js";
import { Upkeep } from "./upkeep.js";

interface StoreEngineOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly store: Store;
  readonly backend: Backend;
  readonly saved?: SavedParts;
}

/** Of a store that is kept on disk. */
interface SavedParts {
  readonly log: Log;
  readonly data: DataDirectory;
  readonly keeper: SnapshotKeeper;
}

/**
 * How often a store with leases logs what time it is: a crash gives them back no more, and an hour
 * of that is 35 KiB.
 */
const TELL_TIME_MS = 5000;

/** How often leases are looked at whose end the disk has refused. */
const EXPIRY_CHECK_MS = 1000;

/** Old history is looked for this often at least, and ten times in the age that it may reach. */
const AGE_CHECK_MAX_MS = 60_000;

/** Silent watches are looked for this many times in the span after which they are ended. */
const IDLE_CHECKS = 10;

export class StoreEngine implements Engine {
  readonly storeId: string;
  readonly failed: Promise<Error>;
  readonly direct: DirectStore;
  readonly #backend: Backend;
  readonly #store: Store;
  readonly #saved: SavedParts | undefined;
  readonly #upkeep: Upkeep;
  readonly #answers: Answers;
  readonly #reads: LongReads;
  readonly #watches: OpenWatches;
  #closing: Promise<void> | undefined;

  constructor(options: StoreEngineOptions) {
    const { store, backend, clock, limits, saved } = options;
    this.storeId = store.storeId;
    this.#backend = backend;
    this.#store = store;
    this.#saved = saved;
    this.#upkeep = new Upkeep(store, clock);
    const upkeep = this.#upkeep;
    this.#answers = new Answers({ store, backend, clock, upkeep });
    const answers = this.#answers;
    this.#reads = new LongReads({ store, backend, clock, upkeep, answers });
    this.#watches = new OpenWatches({ store, clock, answers, limits });
    this.direct = new DirectStore({
      store,
      backend,
      begin: () => {
        answers.requireOpen();
        return answers.now();
      },
      afterChange: () => upkeep.afterChange(),
    });
    this.failed = saved?.log.failed ?? new Promise(() => {});
    this.#beginUpkeep(limits);
  }

  #beginUpkeep(limits: Limits): void {
    const upkeep = this.#upkeep;
    if (this.#saved !== undefined) {
      upkeep.every(TELL_TIME_MS, () => this.#tellTime());
      upkeep.every(EXPIRY_CHECK_MS, () => upkeep.lookAtLeases());
    }
    const idleMs = Math.max(1, limits.watcherIdleMaxMs / IDLE_CHECKS);
    upkeep.every(idleMs, () => this.#watches.endIdle());
    if (limits.historyMaxAgeMs === 0) return;
    const ageMs = Math.min(AGE_CHECK_MAX_MS, limits.historyMaxAgeMs / 10);
    upkeep.every(Math.max(1, ageMs), () => upkeep.maintain());
  }

  get revision(): Revision {
    return this.#store.publishedRevision;
  }

  /** Plain reads wait for nothing, writes for what is not durable yet; refusals may wait. */
  readonly prompt: PromptCalls = {
    get: (command) => this.#answers.readNow(() => this.#store.get(command)),
    put: (command) => this.#answers.mutateNow((now) => this.#store.put(command, now)),
  };

  async get(command: GetCommand) {
    return this.prompt.get(command);
  }

  async put(command: PutCommand) {
    return this.prompt.put(command);
  }

  range(query: RangeQuery): Promise<RangeResult> {
    return this.#reads.range(query);
  }

  delete(command: DeleteCommand) {
    return this.#answers.mutate((now) => this.#store.delete(command, now));
  }

  txn(command: TxnCommand, options: TxnOptions) {
    return this.#answers.mutate((now) => this.#store.txn(command, options, now));
  }

  async batch(command: BatchCommand) {
    const batch = await this.#batch(command);
    if (batch.results.some(isOfCompaction)) await this.#answers.compactionDurable();
    return batch;
  }

  #batch(command: BatchCommand): Promise<BatchResult> {
    const answers = this.#answers;
    if (!command.operations.every(isRead)) {
      return answers.mutate((now) => this.#store.batch(command, now));
    }
    answers.requireOpen();
    const { publishedRevision } = this.#store;
    return answers.read(() => this.#store.batch(command, answers.now(), publishedRevision));
  }

  grant(command: { readonly id: LeaseId; readonly ttlMs: number }) {
    return this.#answers.mutate((now) => ({
      ...this.#store.leases.grant(command, now),
      revision: this.#store.revision,
    }));
  }

  keepAlive(command: { readonly id: LeaseId }) {
    return this.#answers.mutate((now) => ({ ttlMs: this.#store.leases.keepAlive(command, now) }));
  }

  revoke(command: { readonly id: LeaseId }) {
    return this.#answers.mutate((now) => this.#store.leases.revoke(command, now));
  }

  timeToLive(query: {
    readonly id: LeaseId;
    readonly withKeys: boolean;
    readonly maxBytes: number;
  }) {
    return this.#answers.mutate((now) => this.#store.leases.timeToLive(query, now));
  }

  leases(query: { readonly after: LeaseId | undefined; readonly limit: number }) {
    return this.#answers.mutate((now) => this.#store.leases.list(query, now));
  }

  async compact(command: { readonly revision: Revision }) {
    await this.#answers.mutate((now) => this.#store.compact(command, now));
    this.#upkeep.maintain();
    const { compactRevision } = this.#store.retention.compactor;
    return { revision: this.#store.publishedRevision, compactRevision };
  }

  hash(query: { readonly revision: Revision }) {
    return this.#reads.hash(query);
  }

  versions(query: { readonly revision: Revision }): Promise<VersionWalk> {
    return this.#reads.versions(query);
  }

  async snapshot(): Promise<SnapshotStream> {
    return this.#reads.snapshot();
  }

  watch(spec: WatchSpec): MemoryWatcher {
    return this.#watches.open(spec);
  }

  async status(): Promise<EngineStatus> {
    this.#answers.requireOpen();
    // It waits for nothing that the disk has to do: what is wrong is what is asked for.
    this.#tellCompaction();
    const { keys, lessor, hub, retention, counters, journal } = this.#store;
    const diskBytes = (await this.#saved?.data.folder.bytes().catch(() => 0)) ?? 0;
    return {
      engine: "memory",
      storeId: this.storeId,
      revision: this.#store.publishedRevision,
      compactRevision: journal.publishedCompactRevision,
      durableRevision: this.#store.publishedRevision,
      keys: keys.liveKeys,
      leases: lessor.size,
      watchers: hub.size,
      liveBytes: retention.liveBytes,
      historyBytes: keys.historyBytes,
      diskBytes,
      fsyncPolicy: this.#saved?.log.fsync ?? "memory",
      outOfSpace: retention.isFull || this.#saved?.log.isFull === true,
      problems: this.#problems(),
      capabilities: [],
      counters: {
        entries_visited: counters.entriesVisited,
        seeks: counters.seeks,
        slices: counters.slices,
        changes_compacted: counters.changesCompacted,
        watchers_unsynced: counters.watchersUnsynced,
        queued_bytes: hub.queuedBytes,
        commits_kept: this.#store.history.size,
      },
    };
  }

  endWatches(): void {
    this.#answers.drain();
    this.#watches.endAll();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.endWatches();
    this.#upkeep.close();
    await this.#answers.close();
    await this.#saved?.keeper.close();
    if (this.#saved !== undefined) this.#tellTime();
    try {
      await this.#backend.close();
    } finally {
      await this.#saved?.data.close();
    }
  }

  /** Verifies every invariant of the store. @throws AssertionError. */
  check(): void {
    checkStore(this.#store);
  }

  /** Logs what time it is, for what remains of leases. */
  #tellTime(): void {
    if (this.#store.lessor.size === 0) return;
    unlessRefused(() => this.#store.journal.tellTime());
  }

  #tellCompaction(): void {
    unlessRefused(() => this.#store.journal.tellCompaction());
  }

  #problems(): string[] {
    const { log, keeper } = this.#saved ?? {};
    return [log?.problem, keeper?.problem].filter((problem) => problem !== undefined);
  }
}

/** The disk may take nothing now: whoever writes is told. */
function unlessRefused(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof KvdError)) throw error;
  }
}
