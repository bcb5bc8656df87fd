// etcd's maintenance service: how the server is, checksums, a backup. What etcd wants done from
// time to time (defragmenting, disarming alarms) needs nobody here, so those calls find it done.

import { Maintenance } from "../../gen/es/etcd/rpc_pb.js";
import {
  type AlarmMember,
  AlarmRequest,
  AlarmRequest_AlarmAction,
  AlarmResponse,
  AlarmType,
  DefragmentRequest,
  DefragmentResponse,
  DowngradeRequest,
  DowngradeResponse,
  HashKVRequest,
  HashKVResponse,
  HashRequest,
  HashResponse,
  MaintenanceService,
  MoveLeaderRequest,
  MoveLeaderResponse,
  SnapshotRequest,
  SnapshotResponse,
  StatusRequest,
  StatusResponse,
} from "../../gen/grpc/etcd/rpc.js";
import { piecesOf } from "../grpc/byte-stream.js";
import { type Decoded, methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import { servePaced } from "../grpc/paced-stream.js";
import type { AnsweringCall, Handlers } from "../grpc/service.js";
import type { Engine, EngineStatus } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import type { Revision } from "../kv/types.js";
import type { EtcdContext } from "./context.js";
import { ETCD_VERSION, type Identity, RAFT_TERM } from "./identity.js";
import { openSnapshot } from "./snapshot.js";
import { precondition, unimplemented } from "./status.js";
import { EMPTY_HASH, hashOfVersions } from "./version-hash.js";

export function maintenanceDefinition(limits: Limits) {
  const generated = MaintenanceService;
  const input = Maintenance.method;
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  return {
    alarm: servedMethod(generated.alarm, with_(input.alarm.input, AlarmRequest, AlarmResponse)),
    status: servedMethod(
      generated.status,
      with_(input.status.input, StatusRequest, StatusResponse),
    ),
    defragment: servedMethod(
      generated.defragment,
      with_(input.defragment.input, DefragmentRequest, DefragmentResponse),
    ),
    hash: servedMethod(generated.hash, with_(input.hash.input, HashRequest, HashResponse)),
    hashKv: servedMethod(
      generated.hashKv,
      with_(input.hashKV.input, HashKVRequest, HashKVResponse),
    ),
    snapshot: servedMethod(
      generated.snapshot,
      with_(input.snapshot.input, SnapshotRequest, SnapshotResponse),
    ),
    moveLeader: servedMethod(
      generated.moveLeader,
      with_(input.moveLeader.input, MoveLeaderRequest, MoveLeaderResponse),
    ),
    downgrade: servedMethod(
      generated.downgrade,
      with_(input.downgrade.input, DowngradeRequest, DowngradeResponse),
    ),
  };
}

type SnapshotCall = AnsweringCall<Decoded<SnapshotRequest>, SnapshotResponse>;

export function maintenanceHandlers(context: EtcdContext): Handlers {
  const { engine, identity, limits, statusOf } = context;
  const header = () => identity.header(engine.revision);
  return {
    alarm: unary(statusOf, async (request: AlarmRequest): Promise<AlarmResponse> => {
      const alarms = alarmsOf(await engine.status(), identity);
      return { header: header(), alarms: answeredAlarms(request, alarms) };
    }),
    status: unary(statusOf, async (_request: StatusRequest): Promise<StatusResponse> => {
      return statusResponse(await engine.status(), identity, limits);
    }),
    defragment: unary(statusOf, async (_request: DefragmentRequest) => ({ header: header() })),
    hash: unary(statusOf, async (_request: HashRequest): Promise<HashResponse> => {
      const { hash } = await hashAt(engine, 0);
      return { header: header(), hash };
    }),
    hashKv: unary(statusOf, async (request: HashKVRequest): Promise<HashKVResponse> => {
      const { hash, revision, compactRevision } = await hashAt(engine, Number(request.revision));
      return {
        header: header(),
        hash,
        compactRevision: BigInt(compactRevision || NEVER_COMPACTED),
        hashRevision: BigInt(revision),
      };
    }),
    snapshot: (call: SnapshotCall) =>
      servePaced(call, () => piecesOf(() => openSnapshot(engine, identity)), context),
    moveLeader: unary(statusOf, async (request: MoveLeaderRequest): Promise<MoveLeaderResponse> => {
      if (request.targetID !== identity.memberId) throw precondition("bad leader transferee");
      return { header: header() };
    }),
    downgrade: unary(statusOf, async (_request: DowngradeRequest): Promise<DowngradeResponse> => {
      throw unimplemented("there is no older version to go back to");
    }),
  };
}

/** What etcd tells for the compact revision of a store that was never compacted. */
const NEVER_COMPACTED = -1;

/** Below 0 nothing is counted, as in etcd. */
async function hashAt(engine: Engine, wanted: Revision) {
  const walk = await engine.versions({ revision: Math.max(0, wanted) });
  try {
    const { revision, compactRevision } = walk;
    const hash = wanted < 0 ? EMPTY_HASH : await hashOfVersions(walk);
    return { hash, revision: wanted < 0 ? wanted : revision, compactRevision };
  } finally {
    walk.close();
  }
}

function alarmsOf(state: EngineStatus, { memberId: memberID }: Identity): AlarmMember[] {
  return state.outOfSpace ? [{ memberID, alarm: AlarmType.NOSPACE }] : [];
}

/** @throws EtcdError when an alarm would be raised. */
function answeredAlarms(
  { action, alarm, memberID }: AlarmRequest,
  alarms: readonly AlarmMember[],
): AlarmMember[] {
  switch (action) {
    case AlarmRequest_AlarmAction.GET:
      return alarms.filter((each) => alarm === AlarmType.NONE || each.alarm === alarm);
    case AlarmRequest_AlarmAction.DEACTIVATE:
      // An alarm goes by itself, once there is space; etcd answers with those that were meant.
      return alarms.filter((each) => each.alarm === alarm && each.memberID === memberID);
    default:
      throw unimplemented("alarms are raised by the store alone, and end by themselves");
  }
}

function statusResponse(state: EngineStatus, identity: Identity, limits: Limits): StatusResponse {
  const { memberId } = identity;
  const kept = state.liveBytes + state.historyBytes;
  const dbSize = state.fsyncPolicy === "memory" ? kept : state.diskBytes;
  const alarms = alarmsOf(state, identity).map(({ memberID }) => {
    return `memberID:${memberID} alarm:NOSPACE `;
  });
  return {
    header: identity.header(state.revision),
    version: ETCD_VERSION,
    dbSize: BigInt(dbSize),
    // What is kept has another form in memory, and can be larger there.
    dbSizeInUse: BigInt(Math.min(dbSize, kept)),
    dbSizeQuota: BigInt(limits.storeMaxBytes),
    leader: memberId,
    raftIndex: BigInt(state.revision),
    raftAppliedIndex: BigInt(state.revision),
    raftTerm: RAFT_TERM,
    errors: [...alarms, ...state.problems],
    isLearner: false,
    storageVersion: STORAGE_VERSION,
    downgradeInfo: { enabled: false, targetVersion: "" },
  };
}

/** etcd names the layout of its data by the first release that has it. */
const STORAGE_VERSION = ETCD_VERSION.replace(/\d+$/, "0");
