// The store that a data directory holds: its newest snapshot, and the log from there on.
//
// Should the newest snapshot be damaged, the one before and the longer log give the very same
// store. Nothing is changed on the disk here.

import type { Clock } from "../lib/clock.js";
import { Replay } from "../store/replay.js";
import type { Store } from "../store/store.js";
import { type DataDirectory, segmentName, snapshotName } from "../wal/data-directory.js";
import { DamagedError } from "../wal/data-error.js";
import { firstSeed } from "../wal/log-format.js";
import { type ReadLog, readLog } from "../wal/log-reader.js";
import { imageSink } from "./image-sink.js";

export interface RecoveryOptions {
  readonly storeId: string;
  /** An empty one; asked for anew for each snapshot that is tried. */
  readonly newStore: () => Store;
  readonly clock: Clock;
  readonly onProgress: (progress: LoadProgress) => void;
}

export interface LoadProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface Recovered {
  /** Its leases are in running time: see Store.start(). */
  readonly store: Store;
  readonly runningMs: number;
  readonly log: ReadLog;
  /** What the log took since the snapshot. */
  readonly logBytes: number;
  /** Newer snapshots that could not be used. */
  readonly damaged: readonly DamagedError[];
}

/** @throws DataError. */
export async function recover(data: DataDirectory, options: RecoveryOptions): Promise<Recovered> {
  const damaged: DamagedError[] = [];
  const snapshots = (await data.snapshots()).reverse();
  for (const snapshot of [...snapshots, 0]) {
    if (snapshot === 0 && damaged.length > 0 && !(await data.segments()).includes(1)) break;
    try {
      const recovered = await recoverFrom(data, snapshot, options);
      refuseShorter(data, recovered.log);
      return { ...recovered, damaged };
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      if (damaged.length === 0 && error.file !== pathOfSnapshot(data, snapshot)) throw error;
      damaged.push(error);
      if (error.file !== pathOfSnapshot(data, snapshot)) break;
    }
  }
  throw damaged[0] ?? new DamagedError(data.path, "there is neither a snapshot nor a log");
}

function pathOfSnapshot(data: DataDirectory, number: number): string {
  return data.folder.pathOf(snapshotName(number));
}

/** From a snapshot on; 0: from the beginning of the log. */
async function recoverFrom(
  data: DataDirectory,
  snapshot: number,
  options: RecoveryOptions,
): Promise<Omit<Recovered, "damaged">> {
  const { storeId, newStore, clock, onProgress } = options;
  const store = newStore();
  const logBytes = await bytesOfLog(data, snapshot);
  const totalBytes =
    logBytes + (snapshot === 0 ? 0 : await data.folder.bytesOf(snapshotName(snapshot)));
  let read = 0;
  const sink = imageSink(store, clock, (bytes) => {
    read = bytes;
    onProgress({ bytes, totalBytes });
  });
  const summary = snapshot === 0 ? undefined : await data.readSnapshot(snapshot, sink);
  const from = summary?.header.log ?? { segment: 1, crc: firstSeed(storeId), runningMs: 0 };
  const replay = new Replay(store, from.runningMs);
  const log = await readLog(
    data,
    { ...from, storeId },
    {
      begin: ({ firstRevision }) => {
        if (firstRevision === store.revision + 1) return;
        throw new RangeError(
          `it begins at revision ${firstRevision}, not at ${store.revision + 1}`,
        );
      },
      add: (record) => replay.apply(record),
      async pause(bytes) {
        read += bytes;
        onProgress({ bytes: read, totalBytes });
        await clock.yieldTurn();
      },
    },
  );
  return { store, runningMs: replay.runningMs, log, logBytes };
}

async function bytesOfLog(data: DataDirectory, from: number): Promise<number> {
  let bytes = 0;
  for (const segment of await data.segments()) {
    if (segment >= from) bytes += await data.folder.bytesOf(segmentName(segment));
  }
  return bytes;
}

/** After a clean stop nothing may be missing, and nothing be torn. */
function refuseShorter({ clean, folder }: DataDirectory, log: ReadLog): void {
  if (clean === undefined) return;
  const path = folder.pathOf(segmentName(log.segment));
  if (log.torn !== undefined) {
    const { offset, what } = log.torn;
    throw new DamagedError(path, `at offset ${offset}: ${what}, and the last stop was a clean one`);
  }
  if (clean.segment === log.segment && clean.length === log.length && clean.crc === log.crc) return;
  const wanted = folder.pathOf(segmentName(clean.segment));
  throw new DamagedError(
    wanted,
    `at offset ${clean.segment === log.segment ? log.length : 0}: the last stop, a clean one, ` +
      `left the log ending in segment ${clean.segment} at ${clean.length}; ` +
      `it ends in segment ${log.segment} at ${log.length}`,
  );
}
