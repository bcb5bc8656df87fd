// The limits of a server: their names, defaults, units and flags in one table. Status shows it, the
// flags of kvd are made from it, and errors name the flag.

export interface LimitDefinition {
  readonly value: number;
  readonly unit: "bytes" | "count" | "ms";
  readonly flag: string;
  /** For `kvd --help`: what happens at the limit. */
  readonly help: string;
}

const MIB = 1024 * 1024;

function limit(
  value: number,
  unit: LimitDefinition["unit"],
  flag: string,
  help: string,
): LimitDefinition {
  return { value, unit, flag, help };
}

/**
 * Values are those of docs/guarantees.md. storeMaxBytes, historyMaxBytes and
 * leaseMemoryMaxBytes are 0 here: their defaults follow the memory of the machine and are set by
 * config.ts.
 */
export const LIMITS = {
  requestMaxBytes: limit(4 * MIB, "bytes", "--request-max-bytes", "larger requests are refused"),
  requestMaxMs: limit(
    60_000,
    "ms",
    "--request-max-time",
    "a request whose bytes have not all arrived by then is ended",
  ),
  responseMaxBytes: limit(4 * MIB, "bytes", "--response-max-bytes", "answers stay below it"),
  valueMaxBytes: limit(1.5 * MIB, "bytes", "--value-max-bytes", "larger values are refused"),
  keyMaxBytes: limit(8192, "bytes", "--key-max-bytes", "longer keys are refused"),
  txnMaxOperations: limit(
    1024,
    "count",
    "--txn-max-operations",
    "operations, and compares, of a txn with all that is nested",
  ),
  turnMaxVisits: limit(
    1_000_000,
    "count",
    "--turn-max-visits",
    "keys that a txn or a delete looks at: others wait for it",
  ),
  txnMaxLevels: limit(8, "count", "--txn-max-levels", "levels of nested txns"),
  etcdRequestMaxBytes: limit(
    1.5 * MIB,
    "bytes",
    "--etcd-request-max-bytes",
    "larger requests of etcd's protocol are refused",
  ),
  etcdResponseMaxBytes: limit(
    64 * MIB,
    "bytes",
    "--etcd-response-max-bytes",
    "calls of etcd's protocol whose answer would be larger are refused",
  ),
  etcdTxnMaxOperations: limit(
    128,
    "count",
    "--etcd-txn-max-operations",
    "operations, and compares, of a txn of etcd's protocol",
  ),
  batchMaxOperations: limit(16384, "count", "--batch-max-operations", "operations of a batch"),
  deleteMaxKeys: limit(100_000, "count", "--delete-max-keys", "keys that one delete removes"),
  storeMaxBytes: limit(
    0,
    "bytes",
    "--store-max-bytes",
    "entries and history: first history goes, then growing writes are refused",
  ),
  historyMaxBytes: limit(
    0,
    "bytes",
    "--history-bytes",
    "old versions kept before the server compacts by itself; 0 keeps all",
  ),
  logPendingMaxBytes: limit(
    256 * MIB,
    "bytes",
    "--log-pending-max-bytes",
    "writes that wait for the disk; beyond it, writes are refused",
  ),
  historyMaxAgeMs: limit(
    0,
    "ms",
    "--history-age",
    "older history is compacted; 0: whatever its age",
  ),
  connectionsMax: limit(10_000, "count", "--connections-max", "open connections"),
  connectionMaxStreams: limit(
    250,
    "count",
    "--connection-max-streams",
    "concurrent calls and watches of one connection",
  ),
  watchersMax: limit(100_000, "count", "--watchers-max", "open watches"),
  watcherQueueMaxBytes: limit(
    MIB,
    "bytes",
    "--watcher-queue-max-bytes",
    "unsent events of a watch; beyond it, the watch catches up from history",
  ),
  watchQueuesMaxBytes: limit(
    256 * MIB,
    "bytes",
    "--watch-queues-max-bytes",
    "unsent events of all watches; beyond it, the largest queue is dropped as above",
  ),
  watcherIdleMaxMs: limit(
    300_000,
    "ms",
    "--watcher-idle-max",
    "a watch whose peer takes nothing for so long while data waits is ended",
  ),
  leasesMax: limit(1_000_000, "count", "--leases-max", "granted leases"),
  leaseMemoryMaxBytes: limit(
    0,
    "bytes",
    "--lease-memory-max-bytes",
    "all leases, those of a ttl too; beyond it, no lease is granted",
  ),
  leaseMaxKeys: limit(100_000, "count", "--lease-max-keys", "keys attached to one lease"),
  pageTokenMaxBytes: limit(
    16 * 1024,
    "bytes",
    "--page-token-max-bytes",
    "longer tokens are refused",
  ),
  listingPinMs: limit(
    60_000,
    "ms",
    "--listing-pin",
    "a listing's revision stays readable after a page",
  ),
} as const satisfies Record<string, LimitDefinition>;

export type LimitName = keyof typeof LIMITS;

/** Every limit with the value in force. */
export type Limits = { readonly [name in LimitName]: number };

/** The defaults, with 1 GiB for the store and for leases, and 256 MiB for history. */
export function defaultLimits(overrides: Partial<Limits> = {}): Limits {
  const values = Object.fromEntries(
    Object.entries(LIMITS).map(([name, definition]) => [name, definition.value]),
  ) as Record<LimitName, number>;
  const sizes = { storeMaxBytes: 1024 * MIB, historyMaxBytes: 256 * MIB };
  return { ...values, ...sizes, leaseMemoryMaxBytes: 1024 * MIB, ...overrides };
}
