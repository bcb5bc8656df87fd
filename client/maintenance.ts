// The calls of MaintenanceService: check and translate, call, translate. Snapshot is not among them
// until there is a file format that it streams.

import {
  CompactRequest,
  CompactResponse,
  FsyncPolicy,
  HashRequest,
  HashResponse,
  MaintenanceServiceService,
  StatusRequest,
  StatusResponse,
} from "../gen/grpc/kvd/v1/maintenance.js";
import { type Calls, method } from "./calls.js";
import { msFromMessage } from "./duration.js";
import type { Maintenance, Status } from "./maintenance-types.js";
import { int64FromNumber, numberFromInt64 } from "./numbers.js";
import type { CallOptions, GetOptions } from "./types.js";

const STATUS = method(MaintenanceServiceService.status.path, StatusRequest, StatusResponse);
const COMPACT = method(MaintenanceServiceService.compact.path, CompactRequest, CompactResponse);
const HASH = method(MaintenanceServiceService.hash.path, HashRequest, HashResponse);

export class MaintenanceCalls implements Maintenance {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async status(options: CallOptions & { readonly waitForReady?: boolean } = {}): Promise<Status> {
    return this.#calls.unary(STATUS, {}, options, statusFromMessage);
  }

  async compact(
    revision: number,
    options: CallOptions = {},
  ): Promise<{ readonly revision: number; readonly compactRevision: number }> {
    const request = { revision: int64FromNumber(revision, "revision") };
    return this.#calls.unary(COMPACT, request, options, (response) => ({
      revision: numberFromInt64(response.revision, "revision"),
      compactRevision: numberFromInt64(response.compactRevision, "compact_revision"),
    }));
  }

  async hash(options: GetOptions = {}): Promise<{
    readonly hash: Uint8Array;
    readonly revision: number;
    readonly compactRevision: number;
  }> {
    const request = { revision: int64FromNumber(options.revision, "revision") };
    return this.#calls.unary(HASH, request, options, (response) => ({
      hash: response.hash,
      revision: numberFromInt64(response.revision, "revision"),
      compactRevision: numberFromInt64(response.compactRevision, "compact_revision"),
    }));
  }
}

const FSYNC_POLICIES: ReadonlyMap<number, Exclude<Status["fsyncPolicy"], "unknown">> = new Map([
  [FsyncPolicy.ALWAYS, "always"],
  [FsyncPolicy.EVERYSEC, "everysec"],
  [FsyncPolicy.NEVER, "never"],
  [FsyncPolicy.MEMORY, "memory"],
]);

function statusFromMessage(response: StatusResponse): Status {
  const { version, engine, storeId, problems, capabilities } = response;
  return {
    version,
    engine,
    storeId,
    revision: numberFromInt64(response.revision, "revision"),
    compactRevision: numberFromInt64(response.compactRevision, "compact_revision"),
    durableRevision: numberFromInt64(response.durableRevision, "durable_revision"),
    keys: numberFromInt64(response.keys, "keys"),
    leases: numberFromInt64(response.leases, "leases"),
    watchers: numberFromInt64(response.watchers, "watchers"),
    liveBytes: numberFromInt64(response.liveBytes, "live_bytes"),
    historyBytes: numberFromInt64(response.historyBytes, "history_bytes"),
    diskBytes: numberFromInt64(response.diskBytes, "disk_bytes"),
    fsyncPolicy: FSYNC_POLICIES.get(response.fsyncPolicy) ?? "unknown",
    uptimeMs: msFromMessage(response.uptime),
    limits: response.limits.map((limit) => ({
      name: limit.name,
      value: numberFromInt64(limit.value, limit.name),
      unit: limit.unit,
      flag: limit.flag,
    })),
    problems,
    capabilities,
    counters: Object.fromEntries(
      Object.entries(response.counters).map(([name, value]) => [
        name,
        numberFromInt64(value, name),
      ]),
    ),
  };
}
