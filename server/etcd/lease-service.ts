// etcd's Lease service: check and translate, call the engine, translate the answer. etcd counts in
// seconds.

import { Lease } from "../../gen/es/etcd/rpc_pb.js";
import {
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  LeaseLeasesRequest,
  LeaseLeasesResponse,
  LeaseRevokeRequest,
  LeaseRevokeResponse,
  LeaseService,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
} from "../../gen/grpc/etcd/rpc.js";
import { type Decoded, methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import { RequestStream } from "../grpc/request-stream.js";
import type { DuplexCall, Handlers } from "../grpc/service.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { EtcdContext } from "./context.js";
import { refusals } from "./status.js";

/** etcd's: one and a half of its shortest election, rounded up. What is below is raised to it. */
const MIN_TTL_S = 2n;
const MAX_TTL_S = 9_000_000_000n;

const UNSENT_MAX_BYTES = 64 * 1024;
const ANSWER_BYTES = 64;

export function leaseDefinition(limits: Limits) {
  const generated = LeaseService;
  const input = Lease.method;
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  return {
    leaseGrant: servedMethod(
      generated.leaseGrant,
      with_(input.leaseGrant.input, LeaseGrantRequest, LeaseGrantResponse),
    ),
    leaseRevoke: servedMethod(
      generated.leaseRevoke,
      with_(input.leaseRevoke.input, LeaseRevokeRequest, LeaseRevokeResponse),
    ),
    leaseKeepAlive: servedMethod(
      generated.leaseKeepAlive,
      with_(input.leaseKeepAlive.input, LeaseKeepAliveRequest, LeaseKeepAliveResponse),
    ),
    leaseTimeToLive: servedMethod(
      generated.leaseTimeToLive,
      with_(input.leaseTimeToLive.input, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse),
    ),
    leaseLeases: servedMethod(
      generated.leaseLeases,
      with_(input.leaseLeases.input, LeaseLeasesRequest, LeaseLeasesResponse),
    ),
  };
}

type KeepAliveCall = DuplexCall<Decoded<LeaseKeepAliveRequest>, LeaseKeepAliveResponse>;

export function leaseHandlers(context: EtcdContext): Handlers {
  const { engine, identity, statusOf, streams } = context;
  return {
    leaseGrant: unary(statusOf, async (request: LeaseGrantRequest) => {
      if (request.TTL > MAX_TTL_S) throw refusals.leaseTtlTooLarge();
      const TTL = request.TTL < MIN_TTL_S ? MIN_TTL_S : request.TTL;
      const lease = await engine.grant({ id: request.ID, ttlMs: Number(TTL) * 1000 });
      return { header: identity.header(lease.revision), ID: lease.id, TTL, error: "" };
    }),
    leaseRevoke: unary(statusOf, async ({ ID }: LeaseRevokeRequest) => {
      const { revision } = await engine.revoke({ id: ID });
      return { header: identity.header(revision) };
    }),
    leaseKeepAlive: (call: KeepAliveCall) =>
      streams.add(call, new RequestStream(call, keepAliveOptions(context))),
    leaseTimeToLive: unary(statusOf, (request: LeaseTimeToLiveRequest) =>
      timeToLive(request, context),
    ),
    leaseLeases: unary(statusOf, async (_: LeaseLeasesRequest): Promise<LeaseLeasesResponse> => {
      const all = await engine.leases({ after: undefined, limit: Number.POSITIVE_INFINITY });
      const soonest = [...all.leases].sort((one, other) => one.ttlMs - other.ttlMs);
      const leases = soonest.map(({ id }) => ({ ID: id }));
      return { header: identity.header(engine.revision), leases };
    }),
  };
}

function keepAliveOptions({ engine, identity, limits, clock, statusOf }: EtcdContext) {
  return {
    inFlightMax: 1,
    unsentMaxBytes: UNSENT_MAX_BYTES,
    idleMaxMs: limits.watcherIdleMaxMs,
    clock,
    statusOf,
    handle: async ({ ID }: LeaseKeepAliveRequest): Promise<LeaseKeepAliveResponse> => {
      const { ttlMs } = await engine.keepAlive({ id: ID });
      return { header: identity.header(engine.revision), ID, TTL: secondsFromMs(ttlMs) };
    },
    weigh: () => ANSWER_BYTES,
  };
}

/** For a lease that there is none of, etcd answers -1. */
async function timeToLive(
  request: LeaseTimeToLiveRequest,
  { engine, identity, limits }: EtcdContext,
): Promise<LeaseTimeToLiveResponse> {
  const { ID, keys: withKeys } = request;
  const { etcdResponseMaxBytes: maxBytes } = limits;
  try {
    const lease = await engine.timeToLive({ id: ID, withKeys, maxBytes });
    if (lease.more) throw new KvdError("RESULT_TOO_LARGE", "the lease has too many keys to tell");
    return {
      header: identity.header(engine.revision),
      ID,
      TTL: secondsFromMs(lease.ttlMs),
      grantedTTL: secondsFromMs(lease.grantedTtlMs),
      keys: [...lease.keys],
    };
  } catch (error) {
    if (!(error instanceof KvdError && error.reason === "LEASE_NOT_FOUND")) throw error;
    const header = identity.header(engine.revision);
    return { header, ID, TTL: -1n, grantedTTL: 0n, keys: [] };
  }
}

/** Rounded down: who renews in time by it is never late. */
function secondsFromMs(ms: number): bigint {
  return BigInt(Math.floor(ms / 1000));
}
