// Opens the memory engine: a store that is empty, or has what a snapshot holds, or is kept in a
// data directory.

import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import type { Revision } from "../kv/types.js";
import type { Clock } from "../lib/clock.js";
import { type Logger, silentLogger } from "../lib/logger.js";
import { randomPositiveInt64, randomStoreId } from "../lib/random.js";
import { type Backend, MemoryBackend } from "../store/backend.js";
import { Store } from "../store/store.js";
import { readSnapshot } from "../wal/snapshot-reader.js";
import { imageSink } from "./image-sink.js";
import { type LoadProgress, openSavedStore } from "./saved-store.js";
import { SnapshotKeeper } from "./snapshot-keeper.js";
import { StoreEngine } from "./store-engine.js";

export interface MemoryEngineOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Keeps the store in snapshots there; by default it is gone when the engine is closed. */
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

export interface DataOptions {
  readonly path: string;
  /** How often a snapshot is saved, if something changed. */
  readonly snapshotIntervalMs: number;
  /** Told while the newest snapshot is read. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface MemoryEngine extends Engine {
  /** Verifies every invariant of the store. @throws AssertionError. */
  check(): void;
}

/** @throws DataError when the data directory is in use, or damaged. */
export async function openMemoryEngine(options: MemoryEngineOptions): Promise<MemoryEngine> {
  const { limits, clock, data, logger = silentLogger } = options;
  const randomLeaseId = options.randomLeaseId ?? randomPositiveInt64;
  if (data === undefined) {
    const { storeId = randomStoreId(), backend = new MemoryBackend() } = options;
    const store = new Store({ limits, storeId, randomLeaseId, backend });
    const { snapshot } = options;
    if (snapshot !== undefined)
      await readSnapshot("the snapshot", snapshot, imageSink(store, clock));
    return new StoreEngine({ limits, clock, store, backend });
  }
  const { path, onProgress = () => {} } = data;
  const saved = await openSavedStore({ path, limits, clock, randomLeaseId, onProgress });
  const { store, backend, lostUpTo } = saved;
  const keeper = new SnapshotKeeper(
    { store, data: saved.data, clock, logger, intervalMs: data.snapshotIntervalMs },
    lostUpTo !== undefined,
  );
  if (lostUpTo !== undefined) logger.warn({ revision: store.revision }, afterCrash(store.revision));
  return new StoreEngine({ limits, clock, store, backend, keeper, data: saved.data });
}

function afterCrash(revision: Revision): string {
  return (
    "kvd was not stopped properly: what was written after the last snapshot may be lost; " +
    `the store goes on at revision ${revision}, and earlier ones are compacted`
  );
}
