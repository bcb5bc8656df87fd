// The public shapes of leases. Ids are bigint everywhere, because those of other protocols exceed
// 2^53; times are milliseconds.

import type { CallOptions, DurationLike } from "./types.js";

export interface LeaseInfo {
  /** Any int64 but 0. */
  readonly id: bigint;
  /** What remains, in milliseconds. */
  readonly ttlMs: number;
  /** What was granted, in milliseconds. */
  readonly grantedTtlMs: number;
}

/** What remains of a lease, and its keys when they were asked for. */
export interface LeaseKeys extends LeaseInfo {
  /** In byte order, as text (see Entry.key). */
  readonly keys: readonly string[];
  /** The same, exactly. */
  readonly keyBytes: readonly Uint8Array[];
  /** There are keys beyond those. */
  readonly more: boolean;
}

/** Leases, as kv.lease: a time to live that keys attach to. When it ends, its keys are deleted. */
export interface Leases {
  /**
   * Makes a lease of 1 second to 10 years; without an id the server chooses one.
   *
   * @throws KvdClientError TTL_OUT_OF_RANGE, LEASE_EXISTS, TOO_MANY_LEASES.
   */
  grant(
    ttl: DurationLike,
    options?: CallOptions & { readonly id?: bigint },
  ): Promise<LeaseInfo & { readonly revision: number }>;
  /** Renews it once, to its full time, and tells that. Undefined when the lease is gone. */
  keepAlive(id: bigint, options?: CallOptions): Promise<LeaseInfo["ttlMs"] | undefined>;
  /**
   * Ends a lease and deletes its keys in one revision.
   *
   * @throws KvdClientError LEASE_NOT_FOUND.
   */
  revoke(
    id: bigint,
    options?: CallOptions,
  ): Promise<{ readonly revision: number; readonly deleted: number }>;
  /**
   * What remains of a lease, and with `withKeys` its keys in byte order, as many as fit one answer.
   *
   * @throws KvdClientError LEASE_NOT_FOUND.
   */
  timeToLive(
    id: bigint,
    options?: CallOptions & { readonly withKeys?: boolean },
  ): Promise<LeaseKeys>;
  /** All leases by id. Those that come and go meanwhile may or may not be among them. */
  list(options?: CallOptions): AsyncIterable<LeaseInfo>;
}
