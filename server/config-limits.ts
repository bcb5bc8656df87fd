// The ranges that flags may set limits to, and which limits do not go together.
//
// Above its range a limit no longer protects what it is there for, or no client could make use of
// it; below it kvd would not work. A program that embeds kvd is free of the ranges.

import { showValue, type ValueRange } from "./config-values.js";
import { LIMITS, type LimitName, type Limits } from "./kv/limits.js";
import { ENTRY_OVERHEAD_BYTES } from "./kv/types.js";
import { STORE_MAX_BYTES } from "./memory-sizes.js";

const KIB = 1024;
const MIB = KIB ** 2;
const GIB = KIB ** 3;
const TIB = KIB ** 4;
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

/** Messages above it would hold up everything else for too long. */
const MESSAGE_MAX_BYTES = 64 * MIB;

export const LIMIT_RANGES: { readonly [name in LimitName]: ValueRange } = {
  requestMaxBytes: { min: 64 * KIB, max: MESSAGE_MAX_BYTES },
  requestMaxMs: { min: SECOND, max: HOUR },
  responseMaxBytes: { min: 64 * KIB, max: MESSAGE_MAX_BYTES },
  valueMaxBytes: { min: 1, max: MESSAGE_MAX_BYTES },
  keyMaxBytes: { min: 1, max: 64 * KIB - 1 },
  txnMaxOperations: { min: 1, max: 100_000 },
  txnMaxLevels: { min: 1, max: 32 },
  turnMaxVisits: { min: 1000, max: 1_000_000_000 },
  etcdRequestMaxBytes: { min: 64 * KIB, max: MESSAGE_MAX_BYTES },
  etcdResponseMaxBytes: { min: MIB, max: GIB },
  etcdTxnMaxOperations: { min: 1, max: 100_000 },
  batchMaxOperations: { min: 1, max: 1_000_000 },
  deleteMaxKeys: { min: 1, max: 10_000_000 },
  storeMaxBytes: { min: MIB, max: STORE_MAX_BYTES },
  historyMaxBytes: { min: 0, max: 64 * TIB },
  logPendingMaxBytes: { min: MIB, max: GIB },
  historyMaxAgeMs: { min: 0, max: 36_500 * DAY },
  connectionsMax: { min: 1, max: 1_000_000 },
  connectionMaxStreams: { min: 1, max: 65_535 },
  watchersMax: { min: 1, max: 10_000_000 },
  watcherQueueMaxBytes: { min: KIB, max: GIB },
  watchQueuesMaxBytes: { min: KIB, max: TIB },
  watcherIdleMaxMs: { min: SECOND, max: DAY },
  leasesMax: { min: 1, max: 100_000_000 },
  leaseMemoryMaxBytes: { min: KIB, max: TIB },
  leaseMaxKeys: { min: 1, max: 10_000_000 },
  pageTokenMaxBytes: { min: KIB, max: MIB },
  listingPinMs: { min: 0, max: HOUR },
};

/** The fields around an entry in a message. */
const MESSAGE_OVERHEAD_BYTES = 256;

/** What is wrong with limits that are each in their range; undefined when nothing is. */
export function limitConflict(limits: Limits): string | undefined {
  const entry = limits.keyMaxBytes + limits.valueMaxBytes + ENTRY_OVERHEAD_BYTES;
  if (entry + MESSAGE_OVERHEAD_BYTES > limits.requestMaxBytes) {
    return `${tooSmall("requestMaxBytes", limits)} for a put of the longest key and largest value`;
  }
  if (2 * entry + MESSAGE_OVERHEAD_BYTES > limits.responseMaxBytes) {
    return `${tooSmall("responseMaxBytes", limits)} for an event with the entry before it`;
  }
  if (2 * limits.keyMaxBytes > limits.pageTokenMaxBytes) {
    return `${tooSmall("pageTokenMaxBytes", limits)} for a token that holds the longest key`;
  }
  return undefined;
}

function tooSmall(name: LimitName, limits: Limits): string {
  const entry = (["keyMaxBytes", "valueMaxBytes"] as const).map((each) => shown(each, limits));
  return `${shown(name, limits)} is too small (with ${entry.join(" and ")})`;
}

function shown(name: LimitName, limits: Limits): string {
  return `${LIMITS[name].flag} ${showValue(limits[name], LIMITS[name].unit)}`;
}
