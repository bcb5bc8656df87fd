// Opens the store of a data directory: what its newest snapshot holds, above every revision that
// was ever given out.

import type { Revision } from "../kv/types.js";
import type { Clock } from "../lib/clock.js";
import { randomStoreId } from "../lib/random.js";
import { Store, type StoreLimits } from "../store/store.js";
import { DataDirectory } from "../wal/data-directory.js";
import { MarkedBackend } from "../wal/marked-backend.js";
import { imageSink } from "./image-sink.js";

export interface SavedStoreOptions {
  readonly path: string;
  readonly limits: StoreLimits;
  readonly clock: Clock;
  readonly randomLeaseId: () => bigint;
  /** Told while the snapshot is read. */
  readonly onProgress: (progress: LoadProgress) => void;
}

export interface LoadProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface SavedStore {
  readonly store: Store;
  readonly backend: MarkedBackend;
  readonly data: DataDirectory;
  /** Commits up to this revision may have been given out, and are lost. */
  readonly lostUpTo: Revision | undefined;
}

/**
 * Who saw the last revision that was given out resumes at the next: the store goes on above that
 * one too, so that it is told.
 */
const ABOVE_THE_MARK = 2;

/** @throws DataError. */
export async function openSavedStore(options: SavedStoreOptions): Promise<SavedStore> {
  const data = await DataDirectory.open(options.path);
  try {
    const storeId = data.storeId ?? randomStoreId();
    const backend = new MarkedBackend((highestRevision) => data.mark({ storeId, highestRevision }));
    const { limits, randomLeaseId } = options;
    const store = new Store({ limits, storeId, randomLeaseId, backend });
    const totalBytes = await data.newestBytes();
    const onRead = (bytes: number) => options.onProgress({ bytes, totalBytes });
    await data.load(imageSink(store, options.clock, onRead));
    const { highestRevision } = data;
    const lostUpTo = highestRevision > store.revision ? highestRevision : undefined;
    if (lostUpTo !== undefined) store.skipTo(lostUpTo + ABOVE_THE_MARK);
    await backend.begin(store.revision);
    return { store, backend, data, lostUpTo };
  } catch (error) {
    await data.close();
    throw error;
  }
}
