// Looks at a data directory without a server: is all of it as it was written, and if not, what can
// be saved of it. Changes nothing in it; a repair makes another.

import type { Revision } from "../kv/types.js";
import type { Clock } from "../lib/clock.js";
import { randomHashSeed, randomPositiveInt64, randomStoreId } from "../lib/random.js";
import { MemoryBackend } from "../store/backend.js";
import { checkStore } from "../store/check.js";
import { Store, type StoreLimits } from "../store/store.js";
import { DataDirectory } from "../wal/data-directory.js";
import { DamagedError, DataError } from "../wal/data-error.js";
import type { TornTail } from "../wal/log-reader.js";
import { type LoadProgress, type Recovered, recover, recoverFrom, salvage } from "./recovery.js";
import { beginStoreFrom } from "./restore.js";

export interface InspectionOptions {
  readonly dataDir: string;
  readonly limits: StoreLimits;
  readonly clock: Clock;
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface Inspection {
  readonly storeId: string;
  /** The last stop was a clean one. */
  readonly clean: boolean;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly keys: number;
  readonly leases: number;
  /** Records of the log behind the snapshot. */
  readonly records: number;
  readonly snapshots: number;
  /** What a start cuts off. */
  readonly torn: TornTail | undefined;
  /** What is damaged, and is not needed: there is another that holds the same. */
  readonly damaged: readonly string[];
}

/** Reads all of it. @throws DataError; DamagedError when the store cannot be opened. */
export async function inspect(options: InspectionOptions): Promise<Inspection> {
  const data = await DataDirectory.open(options.dataDir, { use: "look" });
  try {
    return await inspectIn(data, options);
  } finally {
    await data.close();
  }
}

async function inspectIn(data: DataDirectory, options: InspectionOptions): Promise<Inspection> {
  const storeId = storeIdOf(data);
  const how = recovery(storeId, storeId, options);
  const { store, log, damaged } = await recover(data, how);
  checkStore(store);
  // The one before the newest, and the log between them, are for the case of damage.
  const snapshots = await data.snapshots();
  for (const number of snapshots.slice(0, -1)) {
    await recoverFrom(data, number, how).catch((error) => {
      if (!(error instanceof DamagedError)) throw error;
      damaged.push(error);
    });
  }
  return {
    storeId,
    clean: data.clean !== undefined,
    revision: store.revision,
    compactRevision: store.retention.compactor.compactRevision,
    keys: store.keys.liveKeys,
    leases: store.lessor.size,
    records: log.records,
    snapshots: snapshots.length,
    torn: log.torn,
    damaged: [...new Set(damaged.map(({ message }) => message))],
  };
}

export interface Repair {
  /** What is damaged; empty when nothing is. */
  readonly damaged: readonly string[];
  /** What is whole ends with this revision. */
  readonly revision: Revision;
  /** Bytes of the log behind it, which are dropped. */
  readonly droppedBytes: number;
  /** A start does without what is damaged, and loses nothing. */
  readonly startable: boolean;
  /** The new directory; undefined when there is none. */
  readonly made: { readonly storeId: string; readonly revision: Revision } | undefined;
}

/**
 * Finds what is whole of a store, and makes a new directory of it if `to` says where: with an id of
 * its own, far above, so that nobody who saw what is dropped goes on as if nothing had happened.
 *
 * @throws DataError when nothing can be saved, or `to` is not empty.
 */
export async function repair(
  options: InspectionOptions & { readonly to: string | undefined },
): Promise<Repair> {
  const { clock, to } = options;
  const data = await DataDirectory.open(options.dataDir, { use: "look", facts: "any" });
  try {
    const newId = randomStoreId();
    const saved = await salvage(data, recovery(storeIdOf(data), newId, options));
    const damaged = [...data.damaged, ...saved.damaged].map(({ message }) => message);
    const { revision } = saved.store;
    const { droppedBytes } = saved;
    const startable = droppedBytes === 0 && data.damaged.length === 0;
    const found = { damaged, revision, droppedBytes, startable };
    if (to === undefined || startable) return { ...found, made: undefined };
    await makeFrom(saved, to, clock);
    return { ...found, made: { storeId: newId, revision: saved.store.revision } };
  } finally {
    await data.close();
  }
}

async function makeFrom(
  { store, runningMs }: Pick<Recovered, "store" | "runningMs">,
  to: string,
  clock: Clock,
): Promise<void> {
  const data = await DataDirectory.open(to);
  try {
    if (!(await data.isEmpty())) throw new DataError(`${to} is not empty`);
    await beginStoreFrom(data, { store, runningMs, clock });
  } finally {
    await data.close();
  }
}

/** `readId` is that of the files, `newId` that of the store in memory. */
function recovery(readId: string, newId: string, options: InspectionOptions) {
  const { limits, clock, onProgress = () => {} } = options;
  const randomLeaseId = randomPositiveInt64;
  const hashSeed = randomHashSeed();
  const newStore = () =>
    new Store({ limits, storeId: newId, randomLeaseId, hashSeed, backend: new MemoryBackend() });
  return { storeId: readId, newStore, clock, onProgress };
}

function storeIdOf(data: DataDirectory): string {
  const { facts, path } = data;
  if (facts === undefined) throw new DataError(`${path} holds no store`);
  return facts.storeId;
}
