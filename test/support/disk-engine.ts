// A memory engine whose store is kept on a disk in memory, at the pace of a clock of its own.

import { type MemoryEngine, openMemoryEngine } from "../../server/engines/memory.js";
import type { FsyncPolicy } from "../../server/kv/engine.js";
import { defaultLimits } from "../../server/kv/limits.js";
import type { CrashingFiles } from "./crashing-files.js";
import { ManualClock } from "./manual-clock.js";
import { RecordingLogger } from "./recording-logger.js";
import { until } from "./take.js";

export const DATA = "/data";

export interface DiskEngineOptions {
  readonly segmentMaxBytes?: number;
  readonly spareBytes?: number;
  readonly fsync?: Exclude<FsyncPolicy, "memory">;
  readonly bootId?: string;
  readonly randomLeaseId?: () => bigint;
}

export interface DiskEngine {
  readonly files: CrashingFiles;
  readonly engine: MemoryEngine;
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
}

/** Small segments, and a snapshot whenever three seconds have passed since the last. */
export async function openOnDisk(
  files: CrashingFiles,
  options: DiskEngineOptions = {},
): Promise<DiskEngine> {
  const { randomLeaseId, ...data } = options;
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const engine = await openMemoryEngine({
    limits: defaultLimits(),
    clock,
    logger,
    ...(randomLeaseId && { randomLeaseId }),
    data: {
      path: DATA,
      files,
      segmentMaxBytes: 1024,
      spareBytes: 1024,
      snapshotIntervalMs: 3000,
      ...data,
    },
  });
  return { files, engine, clock, logger };
}

/** The disk has not been asked for anything in so many turns. */
const QUIET_TURNS = 10;

/** Nothing is being written any more, nor compressed, which takes no turns. */
export async function untilQuiet(files: CrashingFiles): Promise<void> {
  let quiet = 0;
  await until("the disk is quiet", async () => {
    const { steps } = files;
    await new Promise((resolve) => setImmediate(resolve));
    const isSaving = files.paths().some((path) => path.endsWith(".tmp") && files.isOpen(path));
    quiet = isSaving || files.steps !== steps ? 0 : quiet + 1;
    return quiet >= QUIET_TURNS || files.hasCrashed;
  });
}
