// The calls of MaintenanceService, and of the health service: check and translate, call, translate.
// The snapshots that stream in end with the client.

import { Metadata } from "@grpc/grpc-js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../gen/grpc/grpc/health/v1/health.js";
import {
  CompactRequest,
  CompactResponse,
  FsyncPolicy,
  HashRequest,
  HashResponse,
  MaintenanceServiceService,
  SnapshotRequest,
  SnapshotResponse,
  StatusRequest,
  StatusResponse,
} from "../gen/grpc/kvd/v1/maintenance.js";
import { callSite } from "./call-site.js";
import { always, type Calls, deadlineOf, method, timeoutMsOf } from "./calls.js";
import { msFromMessage } from "./duration.js";
import type { Health, Maintenance, Snapshot, Status } from "./maintenance-types.js";
import { int64FromNumber, numberFromInt64 } from "./numbers.js";
import { StreamedSnapshot } from "./snapshot.js";
import type { CallOptions, GetOptions } from "./types.js";

export const STATUS = method(
  MaintenanceServiceService.status.path,
  StatusRequest,
  StatusResponse,
  always,
);
const HEALTH = method(HealthService.check.path, HealthCheckRequest, HealthCheckResponse, always);
const COMPACT = method(MaintenanceServiceService.compact.path, CompactRequest, CompactResponse);
const HASH = method(MaintenanceServiceService.hash.path, HashRequest, HashResponse, always);
const SNAPSHOT = method(MaintenanceServiceService.snapshot.path, SnapshotRequest, SnapshotResponse);

export class MaintenanceCalls implements Maintenance {
  readonly #calls: Calls;
  readonly #snapshots = new Set<Snapshot>();

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async status(options: CallOptions & { readonly waitForReady?: boolean } = {}): Promise<Status> {
    return this.#calls.unary(STATUS, {}, options, statusFromMessage);
  }

  async health(options: CallOptions = {}): Promise<Health> {
    // The empty name is the server as a whole.
    const request = { service: "" };
    return this.#calls.unary(HEALTH, request, options, ({ status }) => {
      if (status === ServingStatus.SERVING) return "serving";
      return status === ServingStatus.NOT_SERVING ? "not serving" : "unknown";
    });
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

  snapshot(options: CallOptions = {}): Snapshot {
    const { path, name, serialize } = SNAPSHOT;
    const { channel, gate, retry } = this.#calls;
    const deadline = deadlineOf(timeoutMsOf(options.timeout ?? 0));
    this.#calls.enter(callSite(this.snapshot));
    const deserialize = (bytes: Buffer) => ({
      message: SNAPSHOT.deserialize(bytes),
      bytes: bytes.length,
    });
    const metadata = new Metadata({ waitForReady: retry });
    const callOptions = { deadline };
    const snapshot: Snapshot = new StreamedSnapshot({
      stream: channel.makeServerStreamRequest(
        path,
        serialize,
        deserialize,
        {},
        metadata,
        callOptions,
      ),
      what: this.#calls.describe(name),
      signal: options.signal,
      onOver: () => {
        this.#snapshots.delete(snapshot);
        gate.leave();
      },
    });
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  /** Ends the snapshots that are on their way. */
  close(): void {
    for (const snapshot of this.#snapshots) snapshot.close();
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
