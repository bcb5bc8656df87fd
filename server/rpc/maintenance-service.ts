// MaintenanceService: how the server is, compaction, hashes.

import { MaintenanceService } from "../../gen/es/kvd/v1/maintenance_pb.js";
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
} from "../../gen/grpc/kvd/v1/maintenance.js";
import { methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import type { Handlers } from "../grpc/service.js";
import type { EngineStatus } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import { LIMITS, type LimitName, type Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import { numberFromInt64 } from "./fields.js";
import type { ServiceOptions } from "./kv-service.js";
import { durationFromMs } from "./messages.js";
import { type SnapshotCall, serveSnapshot } from "./snapshot-service.js";

export interface MaintenanceOptions extends ServiceOptions {
  readonly version: string;
  readonly clock: Clock;
}

export function maintenanceDefinition(limits: Limits) {
  const generated = MaintenanceServiceService;
  const input = MaintenanceService.method;
  const with_ = methodOptions(limits.requestMaxBytes);
  return {
    status: servedMethod(
      generated.status,
      with_(input.status.input, StatusRequest, StatusResponse),
    ),
    compact: servedMethod(
      generated.compact,
      with_(input.compact.input, CompactRequest, CompactResponse),
    ),
    snapshot: servedMethod(
      generated.snapshot,
      with_(input.snapshot.input, SnapshotRequest, SnapshotResponse),
    ),
    hash: servedMethod(generated.hash, with_(input.hash.input, HashRequest, HashResponse)),
  };
}

export function maintenanceHandlers(options: MaintenanceOptions): Handlers {
  const { engine, limits, statusOf, version, clock } = options;
  const startedMs = clock.monotonicMs();
  return {
    status: unary(statusOf, async (_request: StatusRequest): Promise<StatusResponse> => {
      const uptime = durationFromMs(Math.floor(clock.monotonicMs() - startedMs));
      return { version, uptime, ...statusMessage(await engine.status(), limits) };
    }),
    compact: unary(statusOf, async (request: CompactRequest): Promise<CompactResponse> => {
      const revision = numberFromInt64(request.revision, "revision");
      if (revision === 0) {
        throw new KvdError("NUMBER_OUT_OF_RANGE", "revision is 0: name the one to compact at");
      }
      const result = await engine.compact({ revision });
      return {
        revision: BigInt(result.revision),
        compactRevision: BigInt(result.compactRevision),
      };
    }),
    hash: unary(statusOf, async (request: HashRequest): Promise<HashResponse> => {
      const revision = numberFromInt64(request.revision, "revision");
      const result = await engine.hash({ revision });
      return {
        hash: result.hash,
        revision: BigInt(result.revision),
        compactRevision: BigInt(result.compactRevision),
      };
    }),
    snapshot: (call: SnapshotCall) => serveSnapshot(call, options),
  };
}

const FSYNC_POLICIES = {
  always: FsyncPolicy.ALWAYS,
  everysec: FsyncPolicy.EVERYSEC,
  never: FsyncPolicy.NEVER,
  memory: FsyncPolicy.MEMORY,
} as const;

function statusMessage(state: EngineStatus, limits: Limits) {
  const counters: { [name: string]: bigint } = {};
  for (const [name, count] of Object.entries(state.counters)) counters[name] = BigInt(count);
  return {
    engine: state.engine,
    storeId: state.storeId,
    revision: BigInt(state.revision),
    compactRevision: BigInt(state.compactRevision),
    durableRevision: BigInt(state.durableRevision),
    keys: BigInt(state.keys),
    leases: BigInt(state.leases),
    watchers: BigInt(state.watchers),
    liveBytes: BigInt(state.liveBytes),
    historyBytes: BigInt(state.historyBytes),
    diskBytes: BigInt(state.diskBytes),
    fsyncPolicy: FSYNC_POLICIES[state.fsyncPolicy],
    limits: Object.entries(LIMITS).map(([name, { unit, flag }]) => ({
      name: snakeCase(name),
      value: BigInt(limits[name as LimitName]),
      unit,
      flag,
    })),
    problems: [...state.problems],
    capabilities: [...state.capabilities],
    counters,
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
