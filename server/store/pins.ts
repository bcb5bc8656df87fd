// Pins: revisions that listings and catching-up watches still read, kept from compaction for a
// bounded time after each step.
//
// Only the lowest pinned revision matters, so pins are kept as one minimum per slot of time: a pin
// costs no memory of its own, is never released, and ends with its slot.

import type { Revision } from "../kv/types.js";

const SLOTS = 60;

export class Pins {
  readonly #slotMs: number;
  /** By the number of the slot; in the order of time. */
  readonly #lowest = new Map<number, Revision>();

  /** A pin holds for `pinMs`, and at most one slot (a sixtieth) longer. */
  constructor(pinMs: number) {
    this.#slotMs = Math.max(1, pinMs / SLOTS);
  }

  pin(revision: Revision, nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    const lowest = this.#lowest.get(slot);
    if (lowest === undefined || revision < lowest) this.#lowest.set(slot, revision);
    this.#forget(slot);
  }

  /** The lowest pinned revision; undefined when nothing is pinned. */
  lowest(nowMs: number): Revision | undefined {
    this.#forget(Math.floor(nowMs / this.#slotMs));
    let lowest: Revision | undefined;
    for (const revision of this.#lowest.values()) {
      if (lowest === undefined || revision < lowest) lowest = revision;
    }
    return lowest;
  }

  /** When the oldest pin ends; undefined when nothing is pinned. */
  get nextEndMs(): number | undefined {
    for (const slot of this.#lowest.keys()) return (slot + SLOTS + 1) * this.#slotMs;
    return undefined;
  }

  #forget(slot: number): void {
    for (const old of this.#lowest.keys()) {
      if (slot - old <= SLOTS) return;
      this.#lowest.delete(old);
    }
  }
}
