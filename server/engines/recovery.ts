// The store that a data directory holds: its newest snapshot, and the log from there on.
//
// Should the newest snapshot be damaged, the one before and the longer log give the very same
// store. Nothing is changed on the disk here.

import type { Clock } from "../lib/clock.js";
import type { LogPlace } from "../store/image.js";
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
  readonly damaged: DamagedError[];
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

/** What can be read of a store that is damaged. */
export interface Salvaged extends Pick<Recovered, "store" | "runningMs" | "damaged"> {
  /** Bytes of the log behind what is whole. */
  readonly droppedBytes: number;
}

/**
 * The longest part of a store that is whole: of the snapshots that can be read, the one from which
 * the log goes farthest.
 *
 * @throws DamagedError when there is none.
 */
export async function salvage(data: DataDirectory, options: RecoveryOptions): Promise<Salvaged> {
  const damaged = new Map<string, DamagedError>();
  let best: Salvaged | undefined;
  for (const snapshot of [...(await data.snapshots()).reverse(), 0]) {
    const found = await salvageFrom(data, snapshot, options);
    for (const error of found.damaged) damaged.set(error.message, error);
    if (found.store === undefined) continue;
    if (best === undefined || found.store.revision > best.store.revision) {
      best = { ...found, store: found.store };
    }
    // From an older one the log gets no farther than this.
    if (found.damaged.length === 0) break;
  }
  if (best === undefined) {
    throw [...damaged.values()][0] ?? new DamagedError(data.path, "nothing of it can be read");
  }
  return { ...best, damaged: [...damaged.values()] };
}

function pathOfSnapshot(data: DataDirectory, number: number): string {
  return data.folder.pathOf(snapshotName(number));
}

/** From a snapshot on; 0: from the beginning of the log. @throws DataError. */
export async function recoverFrom(
  data: DataDirectory,
  snapshot: number,
  options: RecoveryOptions,
): Promise<Omit<Recovered, "damaged">> {
  const loading = new Loading(data, snapshot, options);
  await loading.readSnapshot();
  const log = await loading.readLog();
  loading.store.keys.finishLoading();
  return { store: loading.store, runningMs: loading.runningMs, log, logBytes: loading.logBytes };
}

async function salvageFrom(data: DataDirectory, snapshot: number, options: RecoveryOptions) {
  const loading = new Loading(data, snapshot, options);
  const none = { store: undefined, runningMs: 0, droppedBytes: 0 };
  try {
    await loading.readSnapshot();
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return { ...none, damaged: [error] };
  }
  const damaged: DamagedError[] = [];
  try {
    const log = await loading.readLog();
    refuseShorter(data, log);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    damaged.push(error);
  }
  // From the beginning of the log there is nothing to begin with, unless it says so itself.
  if (snapshot === 0 && loading.store.revision === 1) return { ...none, damaged };
  const { store, runningMs, logBytes, logRead } = loading;
  return { store, runningMs, droppedBytes: logBytes - logRead, damaged };
}

/** One try: a store, a snapshot, and the log behind it. */
class Loading {
  readonly store: Store;
  logBytes = 0;
  /** How much of the log was applied, and the headers before it. */
  logRead = 0;
  readonly #data: DataDirectory;
  readonly #snapshot: number;
  readonly #options: RecoveryOptions;
  #from: LogPlace;
  #replay: Replay | undefined;
  #totalBytes = 0;
  #readBytes = 0;

  constructor(data: DataDirectory, snapshot: number, options: RecoveryOptions) {
    this.#data = data;
    this.#snapshot = snapshot;
    this.#options = options;
    this.store = options.newStore();
    this.store.keys.startLoading();
    this.#from = { segment: 1, crc: firstSeed(options.storeId), runningMs: 0 };
  }

  get runningMs(): number {
    return this.#replay?.runningMs ?? this.#from.runningMs;
  }

  async readSnapshot(): Promise<void> {
    const { clock } = this.#options;
    const { folder } = this.#data;
    const number = this.#snapshot;
    this.logBytes = await bytesOfLog(this.#data, number);
    this.#totalBytes = this.logBytes;
    if (number === 0) return;
    this.#totalBytes += await folder.bytesOf(snapshotName(number));
    const sink = imageSink(this.store, clock, (bytes) => this.#tell(bytes - this.#readBytes));
    this.#from = (await this.#data.readSnapshot(number, sink)).header.log;
  }

  readLog(): Promise<ReadLog> {
    const { storeId, clock } = this.#options;
    const { store } = this;
    const replay = new Replay(store, this.#from.runningMs);
    this.#replay = replay;
    return readLog(
      this.#data,
      { ...this.#from, storeId },
      {
        begin: ({ firstRevision }) => {
          const next = store.revision + 1;
          if (firstRevision === next) return;
          throw new RangeError(`it begins at revision ${firstRevision}, not at ${next}`);
        },
        add: (record) => replay.apply(record),
        pause: (bytes) => {
          this.logRead += bytes;
          this.#tell(bytes);
          return clock.yieldTurn();
        },
      },
    );
  }

  #tell(bytes: number): void {
    this.#readBytes += bytes;
    this.#options.onProgress({ bytes: this.#readBytes, totalBytes: this.#totalBytes });
  }
}

async function bytesOfLog(data: DataDirectory, from: number): Promise<number> {
  let bytes = 0;
  for (const segment of await data.segments()) {
    if (segment >= from) bytes += await data.folder.bytesOf(segmentName(segment));
  }
  return bytes;
}

/** The last segment may not be missing, and after a clean stop nothing, nor anything be torn. */
function refuseShorter({ clean, facts, folder }: DataDirectory, log: ReadLog): void {
  const last = facts?.segment ?? 0;
  if (log.segment < last) {
    throw new DamagedError(folder.pathOf(segmentName(last)), "it is missing");
  }
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
