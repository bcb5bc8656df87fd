// A place in the queue of a lock: a lease that is kept alive, and the key that is attached to it.
//
// The place comes first when no key of the queue is older. It is lost when the lease ends, when
// somebody deletes the key, or when it is too long ago that the server was heard of to be sure.

import type { Entry, Kvd, Operation } from "../../index.js";
import { isClientError } from "../error-text.js";
import { LeaseKeeper } from "./lease-keeper.js";
import { patiently, pause } from "./patience.js";
import type { LockQueue } from "./queue.js";

export interface PlaceOptions {
  readonly ttlMs: number;
  readonly value: string | Uint8Array;
  /** Ends joining; a place that was got is left with leave(). */
  readonly signal: AbortSignal;
  trouble(sureForMs: number): void;
}

/** Why a place is no longer relied on. */
export type Loss =
  /** Its lease is gone, or its key was deleted: somebody else may have the lock already. */
  | { readonly kind: "gone" | "deleted" }
  /** No answer for so long that both may happen before one comes. */
  | { readonly kind: "silence"; readonly sureForMs: number };

/** What waits longer for a server that is leaving is not worth it: the lease ends by itself. */
const LEAVE_TIMEOUT_MS = 800;
/** Whatever it is, as long as the lease is renewed the lock is held. */
const AFTER_ERROR_MS = 1_000;
const TIMER_MAX_MS = 12 * 3_600_000;

export class Place {
  readonly keyBytes: Uint8Array;
  /** Grows from holder to holder: the fencing token. */
  readonly createRevision: number;
  readonly leaseId: bigint;
  readonly ttlMs: number;
  readonly #kv: Kvd;
  readonly #queue: LockQueue;
  readonly #keeper: LeaseKeeper;
  readonly #left = new AbortController();

  private constructor(
    kv: Kvd,
    queue: LockQueue,
    facts: { keyBytes: Uint8Array; createRevision: number; keeper: LeaseKeeper } & Lease,
  ) {
    this.#kv = kv;
    this.#queue = queue;
    this.keyBytes = facts.keyBytes;
    this.createRevision = facts.createRevision;
    this.leaseId = facts.leaseId;
    this.ttlMs = facts.ttlMs;
    this.#keeper = facts.keeper;
  }

  /** At the end of the queue. @throws KvdClientError; then there is none, or it ends by itself. */
  static async join(kv: Kvd, queue: LockQueue, options: PlaceOptions): Promise<Place> {
    const { signal, value } = options;
    const askedMs = performance.now();
    const { id, ttlMs } = await kv.lease.grant(options.ttlMs, { signal });
    const keeper = new LeaseKeeper(kv.lease, { id, ttlMs, askedMs, trouble: options.trouble });
    const keyBytes = queue.keyOf(id);
    try {
      // A key of that lease can be there only if somebody wrote it by hand.
      const { revision } = await kv.put(keyBytes, value, {
        ...{ leaseId: id, expectedModRevision: 0, signal },
      });
      return new Place(kv, queue, {
        keyBytes,
        createRevision: revision,
        keeper,
        leaseId: id,
        ttlMs,
      });
    } catch (error) {
      keeper.stop();
      await kv.lease.revoke(id, { timeout: LEAVE_TIMEOUT_MS }).catch(() => {});
      throw error;
    }
  }

  /** Aborted when the server has said that the lease is gone. */
  get gone(): AbortSignal {
    return this.#keeper.gone;
  }

  /**
   * Returns when it is the first, or the signal is aborted; `behind` is told whom it waits for, and
   * may abort it.
   *
   * @throws KvdClientError
   */
  async turn(signal: AbortSignal, behind: (others: readonly Entry[]) => void): Promise<void> {
    while (!signal.aborted) {
      const others = await this.#queue.before(this, signal);
      const before = others.at(-1);
      if (before === undefined) return;
      behind(others);
      await this.#queue.absence(before, signal);
    }
  }

  /**
   * Makes sure that it still holds, with the whole ttl ahead; the key gets the value if there is
   * one. False when it does not, or the signal is aborted.
   */
  async confirm(value: string | Uint8Array | undefined, signal: AbortSignal): Promise<boolean> {
    const over = AbortSignal.any([signal, this.gone]);
    const { keyBytes: key, leaseId } = this;
    const target = { kind: "createRevision", value: this.createRevision } as const;
    const compare = [{ selector: { key }, relation: "=", target } as const];
    const success: Operation[] =
      value === undefined ? [] : [{ kind: "put", key, value, options: { leaseId } }];
    while (!over.aborted) {
      if (!(await this.#keeper.renew())) {
        await pause(this.ttlMs / 10, over);
        continue;
      }
      const txn = () => this.#kv.txn({ compare, success }, { signal: over });
      const result = await patiently(txn, over);
      if (result?.succeeded !== true) return false;
      // Not so if the machine has slept in between.
      if (this.#keeper.sureForMs > this.ttlMs / 2) return true;
    }
    return false;
  }

  /**
   * Why it is lost, as soon as it is: for silence so long before the lease may end. Undefined when
   * the signal is aborted before.
   */
  async loss(options: { readonly marginMs: number; readonly signal: AbortSignal }) {
    const over = AbortSignal.any([options.signal, this.#left.signal]);
    const watching = new AbortController();
    const end = AbortSignal.any([over, watching.signal]);
    try {
      return await Promise.race([
        this.#silence(options.marginMs, end),
        this.#deleted(end),
        this.#goneOr(end),
      ]);
    } finally {
      watching.abort();
    }
  }

  /** Leaves the queue, as well as it can. False when only time can end the lease. */
  async leave(): Promise<boolean> {
    this.#left.abort();
    this.#keeper.stop();
    try {
      await this.#kv.lease.revoke(this.leaseId, { timeout: LEAVE_TIMEOUT_MS });
      return true;
    } catch (error) {
      return isClientError(error) && error.reason === "LEASE_NOT_FOUND";
    }
  }

  async #silence(marginMs: number, signal: AbortSignal): Promise<Loss | undefined> {
    for (;;) {
      const leftMs = this.#keeper.sureForMs - marginMs;
      if (signal.aborted) return undefined;
      if (leftMs <= 0) return { kind: "silence", sureForMs: this.#keeper.sureForMs };
      await pause(Math.min(leftMs, TIMER_MAX_MS), signal);
    }
  }

  async #deleted(signal: AbortSignal): Promise<Loss | undefined> {
    for (let asked = false; !asked; ) {
      try {
        await this.#queue.absence(this, signal);
        asked = true;
      } catch (error) {
        // What the key was in this store, another one cannot tell.
        asked = isClientError(error) && error.reason === "STORE_CHANGED";
        await pause(asked ? 0 : AFTER_ERROR_MS, signal);
      }
    }
    if (signal.aborted) return undefined;
    // The end of the lease deletes it, too.
    await this.#keeper.renew();
    return { kind: this.gone.aborted ? "gone" : "deleted" };
  }

  #goneOr(signal: AbortSignal): Promise<Loss | undefined> {
    return new Promise((resolve) => {
      const either = AbortSignal.any([signal, this.gone]);
      const tell = () => resolve(this.gone.aborted ? { kind: "gone" } : undefined);
      if (either.aborted) tell();
      else either.addEventListener("abort", tell, { once: true });
    });
  }
}

interface Lease {
  readonly leaseId: bigint;
  readonly ttlMs: number;
}
