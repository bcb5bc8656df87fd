// How many streams a peer may reset, or make us reset. To open and reset one costs it nothing,
// while what was begun for it goes on ("rapid reset", CVE-2023-44487, and "made you reset",
// CVE-2025-8671): so there is a bound, which grows with time.

/** Many watches that are dropped at once are no attack. */
const AT_ONCE = 10_000;
const PER_SECOND = 1_000;

export class ResetBudget {
  readonly #monotonicMs: () => number;
  #left = AT_ONCE;
  #sinceMs: number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
  }

  /** False when there is nothing left. */
  spend(): boolean {
    if (this.#left < 1) {
      const nowMs = this.#monotonicMs();
      const more = ((nowMs - this.#sinceMs) / 1_000) * PER_SECOND;
      this.#left = Math.min(AT_ONCE, this.#left + more);
      this.#sinceMs = nowMs;
    }
    this.#left -= 1;
    return this.#left >= 0;
  }
}
