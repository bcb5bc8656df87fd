// Runs in slices what came due all at once: the watches that a commit has woken. Between two slices
// everything else has its turn, so that writers do not wait for all watches of a range, and a
// watch whose turn comes late gets several commits at a time.

import type { Clock } from "../lib/clock.js";

/**
 * Watches that are served before others have a turn. With 1,000 of them on streams of their own,
 * where each message costs the most, that is about a millisecond.
 */
const SLICE = 64;

export class Turns {
  readonly #clock: Clock;
  #due: Array<() => void> = [];
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs it soon, after all that this step of ours still does, in the order of the calls. */
  add(run: () => void): void {
    this.#due.push(run);
    if (!this.#running) this.#runAll();
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    // What publishes several commits at once has done so then.
    await Promise.resolve();
    for (let served = 0; this.#due.length > 0; ) {
      const round = this.#due;
      this.#due = [];
      for (const run of round) {
        if (served > 0 && served % SLICE === 0) await this.#clock.yieldTurn();
        served += 1;
        run();
      }
    }
    this.#running = false;
  }
}
