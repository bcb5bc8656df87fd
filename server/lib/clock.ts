// Time as an argument: wall time for commit times, monotonic time for leases and pins, timers, and
// the turn of the event loop. Tests pass a clock of their own.

/** The moment of a call. */
export interface Now {
  /** Milliseconds since 1970; may jump. */
  readonly wallMs: number;
  /** Milliseconds; never goes back. */
  readonly monotonicMs: number;
}

export interface Timer {
  /** Does nothing once it has fired. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since 1970, may jump. */
  wallMs(): number;
  /** Milliseconds since some moment, never jumps, never goes back. */
  monotonicMs(): number;
  /**
   * Calls back once, not before `delayMs` (any size) have passed. Does not keep the process alive.
   */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Lets everything else run that is ready, the reading of sockets included. */
  yieldTurn(): Promise<void>;
}

/** setTimeout fires at once beyond this (2^31 - 1 ms), so longer waits go in pieces. */
const TIMEOUT_MAX_MS = 0x7fffffff;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const due = performance.now() + delayMs;
    let timeout: NodeJS.Timeout;
    const arm = () => {
      const rest = Math.max(0, due - performance.now());
      timeout = setTimeout(
        () => (performance.now() >= due ? callback() : arm()),
        Math.min(Math.ceil(rest), TIMEOUT_MAX_MS),
      );
      timeout.unref();
    };
    arm();
    return { cancel: () => clearTimeout(timeout) };
  },
  yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
};
