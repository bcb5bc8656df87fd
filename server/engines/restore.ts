// A new data directory from a snapshot, without a server.
//
// The store that the snapshot is of may have gone on after it, nobody knows how far. So the
// restored one has an id of its own, and goes on far above: whoever resumes from a revision of
// the other is told that it is compacted, also over protocols that know no ids.

import { createReadStream } from "node:fs";
import type { Revision } from "../kv/types.js";
import { systemBootId } from "../lib/boot-id.js";
import type { Clock } from "../lib/clock.js";
import { randomHashSeed, randomPositiveInt64, randomStoreId } from "../lib/random.js";
import { MemoryBackend } from "../store/backend.js";
import { NO_TARGET } from "../store/image.js";
import { ImageExport } from "../store/image-export.js";
import { Store, type StoreLimits } from "../store/store.js";
import { DataDirectory } from "../wal/data-directory.js";
import { DataError } from "../wal/data-error.js";
import { firstSeed } from "../wal/log-format.js";
import { readSnapshot, type SnapshotSummary } from "../wal/snapshot-reader.js";
import { encodeSnapshot } from "../wal/snapshot-writer.js";
import { imageSink } from "./image-sink.js";
import { imageSource } from "./image-source.js";
import { beginStore } from "./saved-store.js";

/** More than a store gives out in a week at 1,500 writes a second; etcd's choice, too. */
const BUMP = 1_000_000_000;

export interface Restored {
  readonly storeId: string;
  readonly revision: Revision;
  readonly summary: SnapshotSummary;
}

/** @throws DataError when the folder is not empty, or the snapshot is damaged. */
export async function restoreSnapshot(options: {
  readonly file: string;
  readonly dataDir: string;
  readonly limits: StoreLimits;
  readonly clock: Clock;
}): Promise<Restored> {
  const { file, clock, limits } = options;
  const data = await DataDirectory.open(options.dataDir);
  try {
    if (!(await data.isEmpty())) throw new DataError(`${options.dataDir} is not empty`);
    const storeId = randomStoreId();
    const backend = new MemoryBackend();
    const randomLeaseId = randomPositiveInt64;
    const hashSeed = randomHashSeed();
    const store = new Store({ limits, storeId, randomLeaseId, hashSeed, backend });
    const summary = await readSnapshot(file, createReadStream(file), imageSink(store, clock));
    const { runningMs } = summary.header.log;
    await beginStoreFrom(data, { store, runningMs, clock });
    return { storeId, revision: store.revision, summary };
  } finally {
    await data.close();
  }
}

/**
 * Makes the files of a store that begins with what another had, far above its revisions. Its leases
 * are in running time.
 */
export async function beginStoreFrom(
  data: DataDirectory,
  from: { readonly store: Store; readonly runningMs: number; readonly clock: Clock },
): Promise<void> {
  const { store, runningMs, clock } = from;
  const { storeId } = store;
  store.journal.skipTo(store.revision + BUMP);
  const now = { wallMs: clock.wallMs(), monotonicMs: runningMs };
  const log = { segment: 1, crc: firstSeed(storeId), runningMs };
  const image = new ImageExport(store, { history: "all", now, log });
  await data.saveSnapshot(log.segment, encodeSnapshot(imageSource(image, clock)));
  await beginStore(data, { bootId: systemBootId(), revision: store.revision }, storeId);
}

/** Reads all of a snapshot; what it says is only believed at its end. */
export function checkSnapshot(file: string, clock: Clock): Promise<SnapshotSummary> {
  return readSnapshot(file, createReadStream(file), {
    begin: () => NO_TARGET,
    end: () => {},
    pause: () => clock.yieldTurn(),
  });
}
