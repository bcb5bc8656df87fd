// Leases as calls: granted, renewed, revoked, asked for, and ended when their time is over.

import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { LeaseId, LeaseInfo, LeaseKeys, Revision } from "../kv/types.js";
import { ENTRY_OVERHEAD_BYTES, NO_LEASE } from "../kv/types.js";
import { compareBytes } from "../lib/bytes.js";
import type { Now } from "../lib/clock.js";
import type { CommitBuilder } from "./commit-builder.js";
import type { Journal } from "./journal.js";
import type { KeySpace } from "./key-space.js";
import type { KeyId } from "./key-table.js";
import type { Lease, Lessor } from "./lessor.js";
import type { Retention } from "./retention.js";

export class LeaseCalls {
  readonly #keys: KeySpace;
  readonly #lessor: Lessor;
  readonly #journal: Journal;
  readonly #retention: Retention;
  readonly #limits: Pick<Limits, "leasesMax" | "leaseMemoryMaxBytes">;

  constructor(options: {
    readonly keys: KeySpace;
    readonly lessor: Lessor;
    readonly journal: Journal;
    readonly retention: Retention;
    readonly limits: Pick<Limits, "leasesMax" | "leaseMemoryMaxBytes">;
  }) {
    this.#keys = options.keys;
    this.#lessor = options.lessor;
    this.#journal = options.journal;
    this.#retention = options.retention;
    this.#limits = options.limits;
  }

  grant(command: { readonly id: LeaseId; readonly ttlMs: number }, now: Now): LeaseInfo {
    const { id, ttlMs } = command;
    if (id !== NO_LEASE && this.#lessor.find(id) !== undefined) {
      throw new KvdError("LEASE_EXISTS", `there is a lease ${id} already`);
    }
    const { leasesMax, leaseMemoryMaxBytes } = this.#limits;
    if (this.#lessor.grantedSize >= leasesMax) {
      const text = `there are ${leasesMax} leases, as many as there may be (--leases-max)`;
      throw new KvdError("TOO_MANY_LEASES", text);
    }
    this.#lessor.refuseMore(leaseMemoryMaxBytes);
    this.#retention.makeRoomForLease(this.#journal.publishedRevision);
    const chosen = id === NO_LEASE ? this.#lessor.chooseId() : id;
    const granted = { id: chosen, ttlMs, ofPut: false };
    const lease = this.#journal.log({ granted: [granted] }, () => {
      const begun = this.#lessor.begin({ ...granted, nowMs: now.monotonicMs });
      return { result: begun, begun: [begun] };
    });
    return this.#lessor.info(lease, now.monotonicMs);
  }

  /** The full time that the lease has again; 0 when it is gone. */
  keepAlive(command: { readonly id: LeaseId }, now: Now): number {
    const lease = this.#lessor.find(command.id);
    if (lease === undefined) return 0;
    this.#journal.log({ renewed: [lease.id] }, () => {
      const renewed = { lease, rank: lease.rank };
      this.#lessor.renew(lease, now.monotonicMs);
      return { result: undefined, renewed };
    });
    return lease.ttlMs;
  }

  revoke(command: { readonly id: LeaseId }, now: Now): { revision: Revision; deleted: number } {
    const deleted = this.#endLease(this.#lessor.require(command.id), "revoked", now);
    return { revision: this.#journal.revision, deleted };
  }

  timeToLive(
    query: { readonly id: LeaseId; readonly withKeys: boolean; readonly maxBytes: number },
    now: Now,
  ): LeaseKeys {
    const lease = this.#lessor.require(query.id);
    const keys: Uint8Array[] = [];
    let bytes = 0;
    for (const { key } of query.withKeys ? this.#keysOf(lease) : []) {
      bytes += key.length + ENTRY_OVERHEAD_BYTES;
      if (bytes > query.maxBytes) break;
      keys.push(key);
    }
    const more = query.withKeys && keys.length < lease.keys.size;
    return { ...this.#lessor.info(lease, now.monotonicMs), keys, more };
  }

  /** In the order of their ids. */
  list(
    query: { readonly after: LeaseId | undefined; readonly limit: number },
    now: Now,
  ): { leases: readonly LeaseInfo[]; more: boolean } {
    const leases: LeaseInfo[] = [];
    for (const lease of this.#lessor.above(query.after)) {
      if (leases.length >= query.limit) return { leases, more: true };
      leases.push(this.#lessor.info(lease, now.monotonicMs));
    }
    return { leases, more: false };
  }

  /** When the next lease ends, in monotonic milliseconds; Infinity when there is none. */
  get nextExpiryMs(): number {
    return this.#lessor.next?.rank ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Ends leases whose time is over, a commit each, until about `maxKeys` keys went; true when done.
   */
  expire(now: Now, maxKeys: number): boolean {
    let keys = 0;
    while (this.nextExpiryMs <= now.monotonicMs) {
      if (keys >= maxKeys) return false;
      keys += 1 + this.#endLease(this.#lessor.next as Lease, "expired", now);
    }
    return true;
  }

  /** Deletes a lease's keys in one commit, in key order, and the lease. */
  #endLease(lease: Lease, reason: "expired" | "revoked", now: Now): number {
    const keys = this.#keysOf(lease);
    if (keys.length === 0) {
      this.#journal.log({ ended: [lease.id] }, () => {
        this.#lessor.end(lease);
        return { result: undefined, ended: [lease] };
      });
      return 0;
    }
    const end = (builder: CommitBuilder) => {
      for (const { id } of keys) builder.delete(id, reason);
    };
    this.#journal.write(now, end, lease);
    return keys.length;
  }

  /** In the order of their bytes. */
  #keysOf(lease: Lease): { readonly id: KeyId; readonly key: Uint8Array }[] {
    const { rows } = this.#keys;
    const keys = [...lease.keys].map((id) => ({ id, key: rows.keyOf(this.#keys.newest(id)) }));
    return keys.sort((left, right) => compareBytes(left.key, right.key));
  }
}
