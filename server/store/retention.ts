// Retention: which revisions can be read, for how long, and what goes when memory runs short.
//
// Reads that begin need a revision at or above the compact revision. Listings and watches that go
// on pin theirs for a bounded time; calls that are reading right now hold theirs. Compaction waits
// for both, the budget of history only for the calls, the store's own limit for nobody.

import { KvdError, showKey } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { Revision } from "../kv/types.js";
import type { Now } from "../lib/clock.js";
import { Compactor } from "./compactor.js";
import type { Counters } from "./counters.js";
import type { History } from "./history.js";
import type { KeySpace } from "./key-space.js";
import { LEASE_BYTES, type Lessor } from "./lessor.js";
import { Pins } from "./pins.js";

export type RetentionLimits = Pick<
  Limits,
  "storeMaxBytes" | "historyMaxBytes" | "historyMaxAgeMs" | "listingPinMs"
>;

/** Something that is reading one revision in slices. */
interface Reading {
  readonly revision: Revision;
}

/** Changes that one step of compaction walks on behalf of a write that needs room. */
const ROOM_STEP_CHANGES = 1000;

/**
 * How much of what was written since is caught up with in a step. So a large commit is not followed
 * by a long step, and what lags behind is never more than four times what comes in a step.
 */
const CATCH_UP_SHARE = 1 / 4;

/** Commits that go at once when the budget of history is passed. */
const DROPPED_COMMITS = 1000;

export class Retention {
  readonly compactor: Compactor;
  readonly #keys: KeySpace;
  readonly #history: History;
  readonly #lessor: Lessor;
  readonly #counters: Counters;
  readonly #limits: RetentionLimits;
  readonly #pins: Pins;
  readonly #readings = new Set<Reading>();
  /** By how much the write would have grown that was refused last. */
  #refusedBytes = 0;
  /** What all rows had cost up to where maintain() has caught up. */
  #seenWork = 0;

  constructor(options: {
    readonly keys: KeySpace;
    readonly history: History;
    readonly lessor: Lessor;
    readonly counters: Counters;
    readonly limits: RetentionLimits;
  }) {
    this.#keys = options.keys;
    this.#history = options.history;
    this.#lessor = options.lessor;
    this.#counters = options.counters;
    this.#limits = options.limits;
    this.#pins = new Pins(options.limits.listingPinMs);
    this.compactor = new Compactor(options.keys, options.history, options.counters);
  }

  /**
   * The revision that a read of `wanted` (0: now) reflects, when `visible` is the newest it may
   * see. What resumes a listing may be below the compact revision, as long as its pin has held.
   *
   * @throws KvdError REVISION_FUTURE, REVISION_COMPACTED.
   */
  readable(wanted: Revision, visible: Revision, resumed = false): Revision {
    if (wanted === 0) return visible;
    this.refuseFuture(wanted, visible);
    if (resumed) this.refuseGone(wanted);
    else if (wanted < this.compactor.compactRevision) throw this.compacted(wanted);
    return wanted;
  }

  refuseFuture(wanted: Revision, visible: Revision): void {
    if (wanted <= visible) return;
    const text = `revision ${wanted} is above the store's revision ${visible}`;
    throw new KvdError("REVISION_FUTURE", text, { revision: visible });
  }

  /** @throws KvdError REVISION_COMPACTED when a revision that was being read has begun to go. */
  refuseGone(revision: Revision): void {
    if (revision < this.compactor.floor) throw this.compacted(revision);
  }

  compacted(wanted: Revision): KvdError {
    const { compactRevision } = this.compactor;
    const relation = wanted === compactRevision ? "is" : "is below";
    const text = `revision ${wanted} ${relation} the compact revision ${compactRevision}`;
    return new KvdError("REVISION_COMPACTED", text, { compactRevision });
  }

  /** Keeps a revision for the time of a pause between two steps. */
  pin(revision: Revision, nowMs: number): void {
    this.#pins.pin(revision, nowMs);
  }

  /** Keeps a revision until stopReading(). */
  startReading(reading: Reading): void {
    this.#readings.add(reading);
  }

  stopReading(reading: Reading): void {
    this.#readings.delete(reading);
  }

  /** @throws KvdError REVISION_COMPACTED. */
  refuseCompact(revision: Revision): void {
    if (revision <= this.compactor.compactRevision) throw this.compacted(revision);
  }

  compact(revision: Revision, now: Now): void {
    this.compactor.request(revision);
    this.compactor.raiseFloor(this.#lowestPinned(now));
  }

  /** When a pin ends that holds compaction up; undefined when none does. */
  get heldUntilMs(): number | undefined {
    return this.compactor.held ? this.#pins.nextEndMs : undefined;
  }

  /**
   * Takes compaction a step further: for who asked for it, for the budget of history, for its age.
   * Then lets memory go. Either does about as much as `maxChanges` cost, and what was added since
   * the last step: however much others write in a turn, they do not get ahead of it. True when
   * there is nothing more to do now.
   */
  maintain(now: Now, maxChanges: number, published: Revision): boolean {
    if (this.compactor.held) this.compactor.raiseFloor(this.#lowestPinned(now));
    const share = (this.#keys.work - this.#seenWork) * CATCH_UP_SHARE;
    this.#seenWork += share;
    const isCompact = this.#compact(now, maxChanges + share, published);
    // A row that became garbage, and one beside it that is moved.
    const isDone = this.compactor.reclaim(maxChanges + 2 * share) && isCompact;
    if (isDone) this.#seenWork = this.#keys.work;
    return isDone;
  }

  /** What was added before it was served does not have to be caught up with. */
  start(): void {
    this.#seenWork = this.#keys.work;
  }

  #compact(now: Now, maxChanges: number, published: Revision): boolean {
    let left = maxChanges;
    while (left > 0) {
      const { changesCompacted } = this.#counters;
      if (!this.compactor.walk(left)) return false;
      left -= Math.max(1, this.#counters.changesCompacted - changesCompacted);
      if (this.#dropByBudget(published) || this.#dropByAge(now, published)) continue;
      return true;
    }
    return false;
  }

  /** What the present entries and leases weigh. */
  get liveBytes(): number {
    return this.#keys.liveBytes + this.#lessor.bytes;
  }

  /** There was no room for a write, and there is none for it yet. */
  get isFull(): boolean {
    return (
      this.#refusedBytes > 0 && this.liveBytes + this.#refusedBytes > this.#limits.storeMaxBytes
    );
  }

  /** There is room for so much, whatever it replaces. */
  hasRoom(bytes: number): boolean {
    return this.liveBytes + this.#keys.historyBytes + bytes <= this.#limits.storeMaxBytes;
  }

  /** @throws KvdError STORE_FULL when there is no room for one more lease. */
  makeRoomForLease(published: Revision): void {
    this.makeRoom(undefined, { before: 0, after: LEASE_BYTES }, published);
  }

  /**
   * Makes room for a write of a key (undefined: for a lease) that takes `after` bytes where
   * `before` were: history goes first.
   *
   * @throws KvdError STORE_FULL when the write grows and does not fit even without history.
   */
  makeRoom(
    key: Uint8Array | undefined,
    sizes: { readonly before: number; readonly after: number },
    published: Revision,
  ): void {
    const { storeMaxBytes } = this.#limits;
    const { before, after } = sizes;
    const { liveBytes } = this;
    if (after > before && liveBytes - before + after > storeMaxBytes) {
      this.#refusedBytes = after - before;
      const what =
        key === undefined ? "a lease cannot be granted" : `key ${showKey(key)} cannot be written`;
      throw new KvdError(
        "STORE_FULL",
        `the store holds ${liveBytes} bytes of at most ${storeMaxBytes} (--store-max-bytes): ` +
          `${what}; reads and deletes go on`,
      );
    }
    while (this.liveBytes + this.#keys.historyBytes + after > storeMaxBytes) {
      if (!this.compactor.pending && !this.#dropOldest(published, undefined)) return;
      this.compactor.walk(ROOM_STEP_CHANGES);
    }
  }

  #lowestPinned(now: Now): Revision | undefined {
    return lower(this.#pins.lowest(now.monotonicMs), this.#lowestReading());
  }

  #lowestReading(): Revision | undefined {
    let lowest: Revision | undefined;
    for (const { revision } of this.#readings) lowest = lower(lowest, revision);
    return lowest;
  }

  #dropByBudget(published: Revision): boolean {
    const { historyMaxBytes, storeMaxBytes } = this.#limits;
    const { historyBytes } = this.#keys;
    const aboveOwn = historyMaxBytes > 0 ? historyBytes - historyMaxBytes : 0;
    const above = Math.max(aboveOwn, historyBytes + this.liveBytes - storeMaxBytes);
    if (above <= 0) return false;
    const share = Math.floor((above / historyBytes) * this.#history.size);
    const count = Math.max(1, Math.min(share, DROPPED_COMMITS));
    return this.#dropOldest(published, this.#lowestReading(), count);
  }

  #dropByAge(now: Now, published: Revision): boolean {
    const { historyMaxAgeMs } = this.#limits;
    const oldest = this.#history.oldestRevision;
    if (historyMaxAgeMs === 0 || oldest === undefined) return false;
    if (this.#history.timeOf(oldest) > now.wallMs - historyMaxAgeMs) return false;
    return this.#dropOldest(published, this.#lowestPinned(now));
  }

  /** Moves the floor behind the oldest commits that are kept, unless they are held. */
  #dropOldest(published: Revision, held: Revision | undefined, count = 1): boolean {
    const oldest = Math.max(this.compactor.floor, this.#history.oldestRevision ?? 0);
    const next = Math.min(oldest + count, published, held ?? published);
    if (next <= oldest) return false;
    this.compactor.request(next);
    this.compactor.raiseFloor(next);
    return true;
  }
}

function lower(left: Revision | undefined, right: Revision | undefined): Revision | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return Math.min(left, right);
}
