// How much memory the store and its history may take unless a flag says otherwise.

import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { getHeapStatistics } from "node:v8";

const MIB = 1024 * 1024;
const RESERVED_HEAP_BYTES = 128 * MIB;

export interface Machine {
  /** Of the machine, or of the cgroup that holds this process when that is less. */
  readonly memoryBytes: number;
  /** At which V8 gives up. */
  readonly heapMaxBytes: number;
}

export function thisMachine(): Machine {
  const total = totalmem();
  // 0 or a huge number when there is no such bound.
  const constrained = constrainedMemory();
  const memoryBytes = constrained > 0 ? Math.min(total, constrained) : total;
  return { memoryBytes, heapMaxBytes: getHeapStatistics().heap_size_limit };
}

/** What rows can be addressed in, less what compaction may have left of others between them. */
export const STORE_MAX_BYTES = 24 * 1024 * MIB;

/**
 * 40 % of the memory: segments of rows may be half garbage before they are emptied, and the rest is
 * left for requests, watches and the system.
 */
export function defaultStoreMaxBytes({ memoryBytes }: Machine): number {
  return Math.max(MIB, Math.floor(Math.min(0.4 * memoryBytes, STORE_MAX_BYTES)));
}

/** Leases live on V8's heap: three quarters of it, without what kvd and its requests take. */
export function defaultLeaseMemoryMaxBytes({ heapMaxBytes }: Machine): number {
  return Math.max(MIB, Math.floor(0.75 * (heapMaxBytes - RESERVED_HEAP_BYTES)));
}

/** A quarter of the store's limit, at most 1 GiB: more history than that is asked for by a flag. */
export function defaultHistoryMaxBytes(storeMaxBytes: number): number {
  return Math.min(1024 * MIB, Math.floor(storeMaxBytes / 4));
}
