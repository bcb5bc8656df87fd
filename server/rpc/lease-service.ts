// LeaseService: check and translate, call the engine, translate the answer.

import { LeaseService } from "../../gen/es/kvd/v1/lease_pb.js";
import {
  GrantRequest,
  GrantResponse,
  KeepAliveRequest,
  KeepAliveResponse,
  LeaseServiceService,
  ListRequest,
  ListResponse,
  RevokeRequest,
  RevokeResponse,
  TimeToLiveRequest,
  TimeToLiveResponse,
} from "../../gen/grpc/kvd/v1/lease.js";
import { methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import type { RequestStreamOptions } from "../grpc/request-stream.js";
import type { Handlers } from "../grpc/service.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { LeaseId, LeaseInfo } from "../kv/types.js";
import type { Clock } from "../lib/clock.js";
import { rowsMaxBytes } from "./commands.js";
import { ttlMsFromDuration } from "./fields.js";
import type { ServiceOptions } from "./kv-service.js";
import { durationFromMs, keyFormFromBytes } from "./messages.js";

/** Leases of one page of List. */
const PAGE_LEASES = 1000;

export function leaseDefinition(limits: Limits) {
  const generated = LeaseServiceService;
  const input = LeaseService.method;
  const with_ = methodOptions(limits.requestMaxBytes);
  return {
    grant: servedMethod(generated.grant, with_(input.grant.input, GrantRequest, GrantResponse)),
    keepAlive: servedMethod(
      generated.keepAlive,
      with_(input.keepAlive.input, KeepAliveRequest, KeepAliveResponse),
    ),
    revoke: servedMethod(
      generated.revoke,
      with_(input.revoke.input, RevokeRequest, RevokeResponse),
    ),
    timeToLive: servedMethod(
      generated.timeToLive,
      with_(input.timeToLive.input, TimeToLiveRequest, TimeToLiveResponse),
    ),
    list: servedMethod(generated.list, with_(input.list.input, ListRequest, ListResponse)),
  };
}

/** All but KeepAlive. */
export function leaseHandlers(options: ServiceOptions): Handlers {
  const { engine, limits, statusOf } = options;
  return {
    grant: unary(statusOf, async ({ id, ttl }: GrantRequest): Promise<GrantResponse> => {
      if (ttl === undefined) throw new KvdError("FIELD_MISSING", "the request has no ttl");
      const lease = await engine.grant({ id, ttlMs: ttlMsFromDuration(ttl) });
      const granted = durationFromMs(lease.grantedTtlMs);
      return { id: lease.id, ttl: granted, revision: BigInt(lease.revision) };
    }),
    revoke: unary(statusOf, async ({ id }: RevokeRequest): Promise<RevokeResponse> => {
      const { revision, deleted } = await engine.revoke({ id });
      return { revision: BigInt(revision), deleted: BigInt(deleted) };
    }),
    timeToLive: unary(statusOf, async (request: TimeToLiveRequest): Promise<TimeToLiveResponse> => {
      const { id, withKeys } = request;
      const lease = await engine.timeToLive({ id, withKeys, maxBytes: rowsMaxBytes(limits) });
      const keys = lease.keys.map((key) => ({ keyForm: keyFormFromBytes(key) }));
      return { ...timesOfLease(lease), keys, more: lease.more };
    }),
    list: unary(statusOf, async ({ pageToken }: ListRequest): Promise<ListResponse> => {
      const after = leaseIdFromToken(pageToken);
      const { leases, more } = await engine.leases({ after, limit: PAGE_LEASES });
      const last = leases.at(-1);
      return {
        leases: leases.map((lease) => ({ id: lease.id, ...timesOfLease(lease) })),
        nextPageToken: more && last ? tokenFromLeaseId(last.id) : new Uint8Array(0),
      };
    }),
  };
}

export function keepAliveStreamOptions(
  options: ServiceOptions & { readonly clock: Clock },
): RequestStreamOptions<KeepAliveRequest, KeepAliveResponse> {
  const { engine, limits, statusOf, clock } = options;
  return {
    inFlightMax: 1,
    unsentMaxBytes: 64 * 1024,
    idleMaxMs: limits.watcherIdleMaxMs,
    clock,
    statusOf,
    handle: async ({ id }) => {
      const { ttlMs } = await engine.keepAlive({ id });
      return { id, ttl: durationFromMs(ttlMs) };
    },
    weigh: () => 32,
  };
}

function timesOfLease(lease: LeaseInfo) {
  return { ttl: durationFromMs(lease.ttlMs), grantedTtl: durationFromMs(lease.grantedTtlMs) };
}

/** A page goes on after an id: a version and the id itself. */
const TOKEN_VERSION = 1;
const TOKEN_BYTES = 9;

function tokenFromLeaseId(id: LeaseId): Uint8Array {
  const token = Buffer.alloc(TOKEN_BYTES);
  token[0] = TOKEN_VERSION;
  token.writeBigInt64BE(id, 1);
  return token;
}

function leaseIdFromToken(token: Uint8Array): LeaseId | undefined {
  if (token.length === 0) return undefined;
  if (token.length !== TOKEN_BYTES || token[0] !== TOKEN_VERSION) {
    throw new KvdError("PAGE_TOKEN_INVALID", "the page token is not one of a list of leases");
  }
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).readBigInt64BE(1);
}
