// The calls of LeaseService: check and translate, call, translate. Renewals share one stream, see
// keep-alive.ts; renewing a lease again and again, to keep it, is left to the caller.

import {
  GrantRequest,
  GrantResponse,
  type Lease,
  LeaseServiceService,
  ListRequest,
  ListResponse,
  RevokeRequest,
  RevokeResponse,
  TimeToLiveRequest,
  TimeToLiveResponse,
} from "../gen/grpc/kvd/v1/lease.js";
import { always, type Calls, deadlineOf, method } from "./calls.js";
import { messageFromDuration, msFromMessage } from "./duration.js";
import { ReceivedKey } from "./entry.js";
import { Renewals } from "./keep-alive.js";
import type { LeaseInfo, LeaseKeys, Leases } from "./lease-types.js";
import { leaseIdToMessage, numberFromInt64 } from "./numbers.js";
import type { CallOptions, DurationLike } from "./types.js";

const GRANT = method(LeaseServiceService.grant.path, GrantRequest, GrantResponse);
const REVOKE = method(LeaseServiceService.revoke.path, RevokeRequest, RevokeResponse);
const TIME_TO_LIVE = method(
  LeaseServiceService.timeToLive.path,
  TimeToLiveRequest,
  TimeToLiveResponse,
  always,
);
const LIST = method(LeaseServiceService.list.path, ListRequest, ListResponse, always);

export class LeaseCalls implements Leases {
  readonly #calls: Calls;
  readonly #renewals: Renewals;

  constructor(calls: Calls) {
    this.#calls = calls;
    this.#renewals = new Renewals(calls);
  }

  async grant(
    ttl: DurationLike,
    options: CallOptions & { readonly id?: bigint } = {},
  ): Promise<LeaseInfo & { readonly revision: number }> {
    const request = { ttl: messageFromDuration(ttl, "ttl"), id: leaseIdToMessage(options.id) };
    return this.#calls.unary(GRANT, request, options, (response) => ({
      id: response.id,
      ttlMs: msFromMessage(response.ttl),
      grantedTtlMs: msFromMessage(response.ttl),
      revision: numberFromInt64(response.revision, "revision"),
    }));
  }

  async keepAlive(id: bigint, options: CallOptions = {}): Promise<number | undefined> {
    const leaseId = leaseIdToMessage(id);
    const { signal } = options;
    const deadline = deadlineOf(this.#calls.timeoutMs(options));
    const renew = () => {
      const timeout = Number.isFinite(deadline) ? Math.max(1, deadline - Date.now()) : 0;
      return this.#renewals.renew(leaseId, { ...options, timeout });
    };
    const { ttl } = await this.#calls.repeat({ repeatable: true, deadline, signal }, renew);
    const ttlMs = msFromMessage(ttl);
    return ttlMs === 0 ? undefined : ttlMs;
  }

  async revoke(
    id: bigint,
    options: CallOptions = {},
  ): Promise<{ readonly revision: number; readonly deleted: number }> {
    const request = { id: leaseIdToMessage(id) };
    return this.#calls.unary(REVOKE, request, options, (response) => ({
      revision: numberFromInt64(response.revision, "revision"),
      deleted: numberFromInt64(response.deleted, "deleted"),
    }));
  }

  async timeToLive(
    id: bigint,
    options: CallOptions & { readonly withKeys?: boolean } = {},
  ): Promise<LeaseKeys> {
    const request = { id: leaseIdToMessage(id), withKeys: options.withKeys ?? false };
    return this.#calls.unary(TIME_TO_LIVE, request, options, (response) => {
      const keys = response.keys.map(({ keyForm }) => new ReceivedKey(keyForm));
      return {
        id,
        ttlMs: msFromMessage(response.ttl),
        grantedTtlMs: msFromMessage(response.grantedTtl),
        keys: keys.map(({ key }) => key),
        keyBytes: keys.map(({ keyBytes }) => keyBytes),
        more: response.more,
      };
    });
  }

  async *list(options: CallOptions = {}): AsyncGenerator<LeaseInfo, void> {
    let pageToken = new Uint8Array(0);
    do {
      const page = await this.#calls.unary(LIST, { pageToken }, options, ({ leases, ...rest }) => ({
        leases: leases.map(leaseFromMessage),
        nextPageToken: new Uint8Array(rest.nextPageToken),
      }));
      yield* page.leases;
      pageToken = page.nextPageToken;
    } while (pageToken.length > 0);
  }

  /** Ends the stream of renewals. */
  close(): void {
    this.#renewals.close();
  }
}

function leaseFromMessage(lease: Lease): LeaseInfo {
  return {
    id: lease.id,
    ttlMs: msFromMessage(lease.ttl),
    grantedTtlMs: msFromMessage(lease.grantedTtl),
  };
}
