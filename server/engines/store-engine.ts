// The store behind the asynchronous Engine interface.
//
// It adds what the store must not know: waiting until what a call saw is durable, turns between the
// slices of long work, timers, the end of watches that nobody reads. Plain reads see the published
// revision and wait for nothing; whatever saw the head, errors included, is answered when that is
// durable.

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
  type DeleteCommand,
  type GetCommand,
  type GetResult,
  isRead,
  type LeaseId,
  type PutCommand,
  type PutResult,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type TxnCommand,
  type TxnOptions,
  type WatchSpec,
} from "../kv/types.js";
import type { Clock, Now } from "../lib/clock.js";
import { EntryHash } from "../lib/entry-hash.js";
import type { Backend } from "../store/backend.js";
import { checkStore } from "../store/check.js";
import { ImageExport } from "../store/image-export.js";
import type { Store } from "../store/store.js";
import { StoredVersions } from "../store/version-walk.js";
import type { DataDirectory } from "../wal/data-directory.js";
import type { Log } from "../wal/log.js";
import { encodeSnapshot } from "../wal/snapshot-writer.js";
import { DirectStore } from "./direct-batch.js";
import { imageSource } from "./image-source.js";
import { MemoryWatcher } from "./memory-watcher.js";
import type { SnapshotKeeper } from "./snapshot-keeper.js";
import { Turns } from "./turns.js";
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

/** Keys that a listing looks at before others have a turn. */
const SLICE_VISITS = 2000;

/** Rows of a walk at a time: who takes them does more with each than a listing. */
const WALK_VISITS = 500;

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

/** The hash reads pages of this weight. */
const HASH_PAGE_BYTES = 1024 * 1024;

export class StoreEngine implements Engine {
  readonly storeId: string;
  readonly failed: Promise<Error>;
  readonly direct: DirectStore;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #backend: Backend;
  readonly #store: Store;
  readonly #saved: SavedParts | undefined;
  readonly #watchers = new Set<MemoryWatcher>();
  readonly #turns: Turns;
  readonly #upkeep: Upkeep;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #state: "open" | "draining" | "closed" = "open";

  constructor(options: StoreEngineOptions) {
    this.storeId = options.store.storeId;
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#backend = options.backend;
    this.#store = options.store;
    this.#turns = new Turns(options.clock);
    this.#upkeep = new Upkeep(options.store, options.clock);
    this.#saved = options.saved;
    this.direct = new DirectStore({
      store: options.store,
      backend: options.backend,
      begin: () => {
        this.#requireOpen();
        return this.#now();
      },
      afterChange: () => this.#upkeep.afterChange(),
    });
    this.failed = options.saved?.log.failed ?? new Promise(() => {});
    if (options.saved !== undefined) {
      this.#upkeep.every(TELL_TIME_MS, () => this.#tellTime());
      this.#upkeep.every(EXPIRY_CHECK_MS, () => this.#upkeep.lookAtLeases());
    }
    this.#upkeep.every(Math.max(1, options.limits.watcherIdleMaxMs / IDLE_CHECKS), () =>
      this.#endIdle(),
    );
    if (options.limits.historyMaxAgeMs > 0) {
      const intervalMs = Math.min(AGE_CHECK_MAX_MS, options.limits.historyMaxAgeMs / 10);
      this.#upkeep.every(Math.max(1, intervalMs), () => this.#upkeep.maintain());
    }
  }

  get revision(): Revision {
    return this.#store.publishedRevision;
  }

  /** Plain reads wait for nothing, writes for what is not durable yet; refusals may wait. */
  readonly prompt: PromptCalls = {
    get: (command) => this.#getNow(command),
    put: (command) => this.#putNow(command),
  };

  async get(command: GetCommand) {
    return this.#getNow(command);
  }

  #getNow(command: GetCommand): GetResult | Promise<GetResult> {
    this.#requireOpen();
    try {
      return this.#store.get(command);
    } catch (error) {
      return this.#telling(() => Promise.reject(error));
    }
  }

  range(query: RangeQuery): Promise<RangeResult> {
    return this.#run(() => this.#telling(() => this.#range(query)));
  }

  async #range(query: RangeQuery): Promise<RangeResult> {
    const read = this.#store.beginRange(query);
    try {
      while (!this.#store.runRange(read, SLICE_VISITS)) await this.#clock.yieldTurn();
    } catch (error) {
      this.#store.abandonRange(read);
      throw error;
    }
    const result = this.#store.endRange(read, query, this.#now());
    if (this.#store.retention.compactor.held) this.#upkeep.maintain();
    return result;
  }

  async put(command: PutCommand) {
    return this.#putNow(command);
  }

  #putNow(command: PutCommand): PutResult | Promise<PutResult> {
    this.#requireOpen();
    let result: PutResult;
    try {
      result = this.#store.put(command, this.#now());
    } catch (error) {
      return this.#mutate(() => {
        throw error;
      });
    }
    this.#upkeep.afterChange();
    const { position } = this.#store.journal;
    if (this.#backend.durablePosition >= position) return result;
    return this.#backend.durable(position).then(() => result);
  }

  delete(command: DeleteCommand) {
    return this.#mutate((now) => this.#store.delete(command, now));
  }

  txn(command: TxnCommand, options: TxnOptions) {
    return this.#mutate((now) => this.#store.txn(command, options, now));
  }

  async batch(command: BatchCommand) {
    if (!command.operations.every(isRead))
      return this.#mutate((now) => this.#store.batch(command, now));
    this.#requireOpen();
    const { publishedRevision } = this.#store;
    return this.#telling(async () => this.#store.batch(command, this.#now(), publishedRevision));
  }

  grant(command: { readonly id: LeaseId; readonly ttlMs: number }) {
    return this.#mutate((now) => ({
      ...this.#store.leases.grant(command, now),
      revision: this.#store.revision,
    }));
  }

  keepAlive(command: { readonly id: LeaseId }) {
    return this.#mutate((now) => ({ ttlMs: this.#store.leases.keepAlive(command, now) }));
  }

  revoke(command: { readonly id: LeaseId }) {
    return this.#mutate((now) => this.#store.leases.revoke(command, now));
  }

  timeToLive(query: {
    readonly id: LeaseId;
    readonly withKeys: boolean;
    readonly maxBytes: number;
  }) {
    return this.#mutate((now) => this.#store.leases.timeToLive(query, now));
  }

  leases(query: { readonly after: LeaseId | undefined; readonly limit: number }) {
    return this.#mutate((now) => this.#store.leases.list(query, now));
  }

  async compact(command: { readonly revision: Revision }) {
    await this.#mutate((now) => this.#store.compact(command, now));
    this.#upkeep.maintain();
    const { compactRevision } = this.#store.retention.compactor;
    return { revision: this.#store.publishedRevision, compactRevision };
  }

  hash(query: { readonly revision: Revision }) {
    return this.#run(() => this.#telling(() => this.#hash(query)));
  }

  async #hash(query: { readonly revision: Revision }) {
    const hash = new EntryHash();
    let page = await this.#range(hashPage(query.revision, undefined));
    const { revision } = page;
    for (;;) {
      for (const entry of page.entries) hash.add(entry);
      if (page.next === undefined) break;
      page = await this.#range(hashPage(revision, page.next));
    }
    await this.#compactionDurable();
    const { compactRevision } = this.#store.retention.compactor;
    return { hash: hash.digest(), revision, compactRevision };
  }

  versions(query: { readonly revision: Revision }): Promise<VersionWalk> {
    return this.#run(() => this.#telling(() => this.#versions(query)));
  }

  async #versions(query: { readonly revision: Revision }): Promise<VersionWalk> {
    const store = this.#store;
    const revision = store.retention.readable(query.revision, store.publishedRevision);
    const versions = new StoredVersions(store, revision);
    const close = () => {
      versions.stop();
      this.#upkeep.maintain();
    };
    await this.#compactionDurable().catch((error: unknown) => {
      close();
      throw error;
    });
    const next = async () => {
      for (;;) {
        await this.#clock.yieldTurn();
        const rows = versions.next(WALK_VISITS);
        if (rows?.length !== 0) return rows;
      }
    };
    return {
      revision,
      compactRevision: versions.revision,
      next: () => this.#run(() => this.#telling(next)),
      close,
    };
  }

  async snapshot(): Promise<SnapshotStream> {
    this.#requireOpen();
    const image = new ImageExport(this.#store, { history: "all", now: this.#now() });
    const chunks = encodeSnapshot(imageSource(image, this.#clock));
    const { position } = this.#store.journal;
    return {
      revision: image.header.revision,
      next: () =>
        this.#run(async () => {
          await this.#backend.durable(position);
          const step = await chunks.next();
          return step.done ? undefined : step.value;
        }),
      close: () => {
        image.stop();
        this.#upkeep.maintain();
      },
    };
  }

  watch(spec: WatchSpec): MemoryWatcher {
    if (this.#state !== "open") throw shuttingDown();
    const watch = this.#store.watch(spec, () => this.#clock.monotonicMs());
    const watcher = new MemoryWatcher({
      store: this.#store,
      watch,
      clock: this.#clock,
      turns: this.#turns,
      beforeEnd: (error) => this.#beforeTelling(error),
      onClosed: () => this.#watchers.delete(watcher),
    });
    this.#watchers.add(watcher);
    return watcher;
  }

  async status(): Promise<EngineStatus> {
    this.#requireOpen();
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
    if (this.#state === "open") this.#state = "draining";
    for (const watcher of this.#watchers) watcher.end(shuttingDown());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.endWatches();
    this.#state = "closed";
    this.#upkeep.close();
    await Promise.allSettled(this.#running);
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

  /** Runs a call that takes turns; close() waits for it. The backend's close settles the others. */
  async #run<T>(call: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Runs what sees the head, and answers, with its error too, once that head is durable. */
  async #mutate<T>(run: (now: Now) => T): Promise<T> {
    this.#requireOpen();
    try {
      return run(this.#now());
    } catch (error) {
      await this.#beforeTelling(error);
      throw error;
    } finally {
      this.#upkeep.afterChange();
      const { position } = this.#store.journal;
      if (this.#backend.durablePosition < position) await this.#backend.durable(position);
    }
  }

  /** Runs a read; that something is compacted is only told once that is durable. */
  async #telling<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      await this.#beforeTelling(error);
      throw error;
    }
  }

  async #beforeTelling(error: unknown): Promise<void> {
    const isCompacted = error instanceof KvdError && error.reason === "REVISION_COMPACTED";
    if (isCompacted) await this.#compactionDurable();
  }

  async #compactionDurable(): Promise<void> {
    await this.#backend.durable(this.#store.journal.tellCompaction());
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

  #endIdle(): void {
    const limitMs = this.#limits.watcherIdleMaxMs;
    const nowMs = this.#clock.monotonicMs();
    for (const watcher of this.#watchers) {
      watcher.markStalled();
      if (nowMs - (watcher.stalledSinceMs ?? nowMs) < limitMs) continue;
      const text = `the watch took nothing for ${limitMs} ms while data waited`;
      watcher.end(new KvdError("WATCHER_TOO_SLOW", `${text} (--watcher-idle-max)`));
    }
  }

  #now(): Now {
    return { wallMs: this.#clock.wallMs(), monotonicMs: this.#clock.monotonicMs() };
  }

  #requireOpen(): void {
    if (this.#state === "closed") throw shuttingDown();
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

function shuttingDown(): KvdError {
  return new KvdError("SHUTTING_DOWN", "the server is shutting down");
}

function hashPage(revision: Revision, resume: Uint8Array | undefined): RangeQuery {
  return {
    selector: { kind: "all" },
    revision,
    order: "ascending",
    limit: 0,
    keysOnly: false,
    count: "no",
    delimiter: new Uint8Array(0),
    resume,
    maxBytes: HASH_PAGE_BYTES,
  };
}
