// How long to wait before something is tried again: not at all the first time, then longer and
// longer up to a bound, with jitter, so that many clients do not come back at the same moment.

import { onAbort } from "./abort.js";

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

export class Backoff {
  #tries = 0;

  /** Before the next try: 0 at first, then between half and all of 50 ms, 100 ms, … 5 s. */
  nextMs(): number {
    const tries = this.#tries;
    this.#tries += 1;
    if (tries === 0) return 0;
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
    return longest * (0.5 + Math.random() / 2);
  }

  /** For when it has worked: the next try is a first one again. */
  reset(): void {
    this.#tries = 0;
  }
}

/** Resolves after the time, or as soon as one of the signals is aborted. */
export function pause(ms: number, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  if (signals.some((signal) => signal?.aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      for (const forget of listeners) forget();
      resolve();
    };
    const timer = setTimeout(over, ms);
    const listeners = signals.map((signal) => onAbort(signal, over));
  });
}
