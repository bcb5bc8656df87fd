// What remains of leases, asked for once each and then counted down.

import type { Entry, Leases } from "../index.js";
import { isClientError } from "./error-text.js";

const CONCURRENT_CALLS = 32;

/** From so many on, a list of all leases, 1,000 a call, costs less than asking for each. */
const LISTING_PAYS = 500;
const MAX_LISTED = 100_000;

/**
 * Beyond it, what is known is forgotten: an export of a billion keys must not hold as many leases.
 */
const MAX_KNOWN = 200_000;

export class LeaseTimes {
  readonly #leases: Pick<Leases, "timeToLive" | "list">;
  readonly #signal: AbortSignal;
  readonly #now: () => number;
  /** When it ends, on the clock of `now`. */
  readonly #ends = new Map<bigint, number>();
  #listed = false;

  constructor(
    leases: Pick<Leases, "timeToLive" | "list">,
    options: { readonly signal: AbortSignal; readonly now?: () => number },
  ) {
    this.#leases = leases;
    this.#signal = options.signal;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Asks for those leases of a page that are not known yet. */
  async learn(entries: readonly Entry[]): Promise<void> {
    if (this.#ends.size > MAX_KNOWN) this.#ends.clear();
    let unknown = this.#unknownOf(entries);
    if (unknown.size >= LISTING_PAYS && !this.#listed) {
      await this.#list();
      unknown = this.#unknownOf(entries);
    }
    const left = unknown.values();
    const worker = async () => {
      for (const id of left) this.#ends.set(id, this.#now() + (await this.#ask(id)));
    };
    const workers = Math.min(CONCURRENT_CALLS, unknown.size);
    await Promise.all(Array.from({ length: workers }, worker));
  }

  /** What remains, in whole milliseconds; undefined without a lease, 0 when it ended since. */
  remainingMs(entry: Entry): number | undefined {
    if (entry.leaseId === 0n) return undefined;
    const end = this.#ends.get(entry.leaseId);
    if (end === undefined) throw new Error(`lease ${entry.leaseId} was not learnt`);
    return Math.max(0, Math.floor(end - this.#now()));
  }

  #unknownOf(entries: readonly Entry[]): Set<bigint> {
    const unknown = new Set<bigint>();
    for (const { leaseId } of entries) {
      if (leaseId !== 0n && !this.#ends.has(leaseId)) unknown.add(leaseId);
    }
    return unknown;
  }

  async #list(): Promise<void> {
    this.#listed = true;
    let listed = 0;
    for await (const { id, ttlMs } of this.#leases.list({ signal: this.#signal })) {
      this.#ends.set(id, this.#now() + ttlMs);
      listed += 1;
      if (listed >= MAX_LISTED) return;
    }
  }

  async #ask(id: bigint): Promise<number> {
    try {
      return (await this.#leases.timeToLive(id, { signal: this.#signal })).ttlMs;
    } catch (error) {
      if (isClientError(error) && error.reason === "LEASE_NOT_FOUND") return 0;
      throw error;
    }
  }
}
