// How far a watch was handled, change by change. Pure: positions are values.
//
// A revision can change many keys, and a watch can end in the middle of one; so a position is a
// revision and how many of its changes are done with. The changes of a revision always come in the
// same order, which is what makes the count mean the same after a restart.

import type { WatchStep } from "../index.js";

/** All below `revision` is done with, and the first `events` changes of it. */
export interface WatchPosition {
  readonly revision: number;
  readonly events: number;
}

export class WatchProgress {
  #done: WatchPosition | undefined;
  #arrived: WatchPosition = { revision: 0, events: 0 };

  /** `from` is where it goes on; undefined: wherever the watch begins. */
  constructor(from: WatchPosition | undefined) {
    this.#done = from;
  }

  /** Undefined until it is known where to go on: while present entries are not complete. */
  get position(): WatchPosition | undefined {
    return this.#done;
  }

  /** Takes the next change, in order. Was it not done with before? */
  take({ revision }: { readonly revision: number }): boolean {
    const before = this.#arrived;
    const events = revision === before.revision ? before.events + 1 : 1;
    this.#arrived = { revision, events };
    return this.#done === undefined || isAfter(this.#arrived, this.#done);
  }

  /** The change that was taken last is done with. */
  eventDone(): void {
    this.#done = this.#arrived;
  }

  /** All that the step holds is done with. */
  stepDone(step: WatchStep, options: { readonly includeCurrent: boolean }): void {
    const created = step.kind === "created" && !options.includeCurrent && this.#done === undefined;
    const told = step.kind === "synced" || step.kind === "progress";
    if (!created && !told && (step.kind !== "events" || step.fragment)) return;
    const next = { revision: step.revision + 1, events: 0 };
    if (this.#done === undefined || isAfter(next, this.#done)) this.#done = next;
  }
}

function isAfter(position: WatchPosition, other: WatchPosition): boolean {
  if (position.revision !== other.revision) return position.revision > other.revision;
  return position.events > other.events;
}
