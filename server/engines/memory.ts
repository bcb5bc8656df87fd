// Opens the memory engine: a store that is empty, or has what a snapshot holds, or is kept in a
// data directory.

import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import { type Logger, silentLogger } from "../lib/logger.js";
import { randomHashSeed, randomPositiveInt64, randomStoreId } from "../lib/random.js";
import { type Backend, MemoryBackend } from "../store/backend.js";
import { Store } from "../store/store.js";
import { readSnapshot } from "../wal/snapshot-reader.js";
import { imageSink } from "./image-sink.js";
import { type DataOptions, openSavedStore } from "./saved-store.js";
import { SnapshotKeeper } from "./snapshot-keeper.js";
import { StoreEngine } from "./store-engine.js";

export interface MemoryEngineOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Keeps the store there, in a log and snapshots; by default it is gone with the engine. */
  readonly data?: DataOptions;
  readonly logger?: Logger;
  /** Begins with what a snapshot holds; not with `data`. */
  readonly snapshot?: AsyncIterable<Uint8Array>;
  /** Random by default: a new history. With a data directory, its own counts. */
  readonly storeId?: string;
  /** Positive int64s; random by default. */
  readonly randomLeaseId?: () => bigint;
  /** Keeps nothing by default. */
  readonly backend?: Backend;
}

/** A log of it is read in about a second. */
const SNAPSHOT_LOG_BYTES = 64 * 1024 * 1024;

export type { DataOptions };

export interface MemoryEngine extends Engine {
  /** Verifies every invariant of the store. @throws AssertionError. */
  check(): void;
}

/** @throws DataError when the data directory is in use, or damaged. */
export async function openMemoryEngine(options: MemoryEngineOptions): Promise<MemoryEngine> {
  const { limits, clock, data, logger = silentLogger } = options;
  const randomLeaseId = options.randomLeaseId ?? randomPositiveInt64;
  if (data !== undefined) {
    const saved = await openSavedStore({ ...data, limits, clock, logger, randomLeaseId });
    const { store, log } = saved;
    const keeper = new SnapshotKeeper({
      store,
      data: saved.data,
      log,
      clock,
      logger,
      intervalMs: data.snapshotIntervalMs,
      logBytes: data.snapshotLogBytes ?? SNAPSHOT_LOG_BYTES,
      grownBytes: saved.logBytes,
    });
    return new StoreEngine({ limits, clock, store, backend: log, saved: { ...saved, keeper } });
  }
  const { storeId = randomStoreId(), backend = new MemoryBackend(), snapshot } = options;
  const store = new Store({ limits, storeId, randomLeaseId, hashSeed: randomHashSeed(), backend });
  if (snapshot !== undefined) {
    const { header } = await readSnapshot("the snapshot", snapshot, imageSink(store, clock));
    const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    store.start(header.log.runningMs, now);
  }
  return new StoreEngine({ limits, clock, store, backend });
}
