// Opens the store of a data directory, and the log in which it goes on: everything that was
// answered is there, and no revision is given out twice.

import type { FsyncPolicy } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import type { Revision } from "../kv/types.js";
import { systemBootId } from "../lib/boot-id.js";
import type { Clock } from "../lib/clock.js";
import { type Files, readUpTo, writeAll } from "../lib/files.js";
import type { Logger } from "../lib/logger.js";
import { randomHashSeed, randomStoreId, randomUint32 } from "../lib/random.js";
import { Store } from "../store/store.js";
import { DataDirectory, segmentName, tornName } from "../wal/data-directory.js";
import { certain } from "../wal/data-error.js";
import { isFull, SPARE_FILE } from "../wal/disk-space.js";
import { Log } from "../wal/log.js";
import { firstSeed } from "../wal/log-format.js";
import type { ReadLog, TornTail } from "../wal/log-reader.js";
import { type LoadProgress, recover } from "./recovery.js";

export interface DataOptions {
  readonly path: string;
  /** When a write is synced: always, before it is answered, by default. */
  readonly fsync?: Exclude<FsyncPolicy, "memory">;
  /** A snapshot is saved so often, if something changed. */
  readonly snapshotIntervalMs: number;
  /** And when the log has grown by this, and by what the last snapshot took. 64 MiB by default. */
  readonly snapshotLogBytes?: number;
  /** Told while the snapshot and the log are read. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Those of the system by default. */
  readonly files?: Files;
  /** A segment of the log that has reached it is followed by another. 64 MiB by default. */
  readonly segmentMaxBytes?: number;
  /** What is kept for deletes on a disk that is full. 4 MiB by default. */
  readonly spareBytes?: number;
  /** Which run of the operating system this is. */
  readonly bootId?: string;
}

export interface SavedStoreOptions extends DataOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomLeaseId: () => bigint;
}

export interface SavedStore {
  readonly store: Store;
  readonly log: Log;
  readonly data: DataDirectory;
  /** What the log took since the last snapshot. */
  readonly logBytes: number;
}

const MIB = 1024 * 1024;
const SEGMENT_MAX_BYTES = 64 * MIB;
const SPARE_BYTES = 4 * MIB;

/**
 * Who saw the last revision that was given out resumes at the next: the store goes on above that
 * one too, so that it is told.
 */
const ABOVE_THE_MARK = 2;

const SETTLE_BYTES = MIB;
const DUE_BYTES = Number.MAX_SAFE_INTEGER;

/** @throws DataError. */
export async function openSavedStore(options: SavedStoreOptions): Promise<SavedStore> {
  const { files } = options;
  const data = await DataDirectory.open(options.path, { ...(files && { files }) });
  try {
    return await openIn(data, options).catch(async (error) => {
      // Each step of it can be done again: in the space that is kept for a full disk.
      if (!isFull(error)) throw error;
      await data.folder.remove([SPARE_FILE]);
      return openIn(data, options);
    });
  } catch (error) {
    await data.close();
    throw error;
  }
}

async function openIn(data: DataDirectory, options: SavedStoreOptions): Promise<SavedStore> {
  const { limits, clock, logger, randomLeaseId, onProgress = () => {} } = options;
  const { bootId = systemBootId() } = options;
  const storeId = data.facts?.storeId ?? (await beginStore(data, { bootId }));
  const log = new Log({
    data,
    storeId,
    clock,
    logger,
    fsync: options.fsync ?? "always",
    segmentMaxBytes: options.segmentMaxBytes ?? SEGMENT_MAX_BYTES,
    pendingMaxBytes: limits.logPendingMaxBytes,
    spareBytes: options.spareBytes ?? SPARE_BYTES,
    bootId,
  });
  const hashSeed = randomHashSeed();
  const newStore = () => new Store({ limits, storeId, randomLeaseId, hashSeed, backend: log });
  const recovered = await recover(data, { storeId, newStore, clock, onProgress });
  const { store, runningMs, logBytes } = recovered;
  for (const { message, file } of recovered.damaged) {
    const aside = await data.setAside(file);
    logger.warn(
      { file, aside },
      `${message}; the snapshot before it and the log hold the same; it is kept in ${aside}`,
    );
  }
  if (recovered.log.torn !== undefined) await cutTail(data, recovered.log.torn, logger);
  if (data.clean === undefined) await settle(data, recovered.log);
  const lostUpTo = lostRevision(data, bootId);
  if (data.clean !== undefined) await data.removeClean();
  const head = lostUpTo === undefined ? store.revision : lostUpTo + ABOVE_THE_MARK;
  const { segment, keys, length, crc } = recovered.log;
  await log.begin({ segment, keys, length, crc, revision: store.revision, runningMs, mark: head });
  store.start(runningMs, { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() });
  if (lostUpTo !== undefined) {
    store.journal.skipTo(Math.max(head, store.revision));
    await log.durable(store.journal.position);
    logger.warn({ revision: store.revision }, afterCrash(store.revision));
  }
  if (options.fsync === undefined || options.fsync === "always") await trustLog(data);
  // After damage a second snapshot is due at once.
  return { store, log, data, logBytes: recovered.damaged.length === 0 ? logBytes : DUE_BYTES };
}

/** Makes the files of a new store. */
export async function beginStore(
  data: DataDirectory,
  { bootId, revision = 1 }: { readonly bootId: string; readonly revision?: Revision },
  storeId = randomStoreId(),
): Promise<string> {
  const seed = firstSeed(storeId);
  const keys = { syncWord: randomUint32(), salt: randomUint32() };
  const header = { number: 1, storeId, firstRevision: revision + 1, seed, keys };
  const file = await data.createSegment(header);
  await file.close();
  await data.writeFacts({ storeId, mark: 0, bootId, segment: 1 });
  return storeId;
}

/**
 * Makes what was read durable before anybody sees it: a process that was killed may have left it in
 * the system's memory alone. After a sync that failed, the system takes it for written: so it is
 * written again.
 */
async function settle(data: DataDirectory, { segment, synced, length }: ReadLog): Promise<void> {
  const file = await data.openSegment(segment);
  try {
    for (let at = synced; at < length; at += SETTLE_BYTES) {
      const bytes = await readUpTo(file, Math.min(SETTLE_BYTES, length - at), at);
      await writeAll(file, bytes, at);
    }
    await certain(file.sync());
  } finally {
    await file.close();
  }
  await data.folder.sync();
}

/** Keeps what a crash has torn aside, and cuts it off. */
async function cutTail(data: DataDirectory, torn: TornTail, logger: Logger): Promise<void> {
  const { segment, file, offset, bytes, what } = torn;
  const aside = tornName(segment, offset);
  await data.folder.copyTail(segmentName(segment), offset, aside);
  const open = await data.openSegment(segment);
  try {
    await certain(open.truncate(offset));
    await certain(open.sync());
  } finally {
    await open.close();
  }
  logger.warn(
    { file, offset, bytes, aside },
    `${file} ends in what a crash has torn at offset ${offset} (${what}): ${bytes} bytes that ` +
      `nobody was answered for are dropped, and kept in ${aside}`,
  );
}

/** Up to which revision some may have been answered and lost; undefined when none can be. */
function lostRevision({ facts, clean }: DataDirectory, bootId: string): Revision | undefined {
  if (facts === undefined || facts.mark === 0 || clean !== undefined) return undefined;
  const sameRun = bootId !== "" && facts.bootId === bootId;
  return sameRun ? undefined : facts.mark;
}

/** From here on whatever is answered is in the log. */
async function trustLog(data: DataDirectory): Promise<void> {
  if ((data.facts?.mark ?? 0) > 0) await data.writeFacts({ mark: 0 });
}

function afterCrash(revision: Revision): string {
  return (
    "the system stopped without a warning, and not every write was synced (--fsync): some may be " +
    `lost; the store goes on at revision ${revision}, and earlier ones are compacted`
  );
}
