// When the requests of a bench are due, and when there are no more.
//
// Without a rate a request is due as soon as its client is free. With one, requests are due at
// fixed times whatever the answers do: one that had to wait for a free client counts from when it
// was due, so a server that stalls cannot hide what it keeps from being sent.

export interface PaceOptions {
  /** Requests a second; 0: none. */
  readonly rate: number;
  /** 0: no end. */
  readonly durationMs: number;
  /** In all, with a rate; 0: no end. */
  readonly requests: number;
}

/** Timers are late by about this; the rest of the time is spent looking at the clock. */
const TIMER_SLACK_MS = 2;

export class Pace {
  readonly #options: PaceOptions;
  readonly #began: number;
  readonly #waiting: ((due: number | undefined) => void)[] = [];
  #taken = 0;
  #over = false;
  #ticking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PaceOptions, began = performance.now()) {
    this.#options = options;
    this.#began = began;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The time at which the caller's next request is due, as soon as it is; undefined: no more. */
  take(): number | undefined | Promise<number | undefined> {
    const now = performance.now();
    if (this.#ended(now)) return undefined;
    if (this.#options.rate === 0) return now;
    const due = this.#nextDue();
    if (due === undefined) return undefined;
    if (due > now || this.#waiting.length > 0) return this.#wait();
    this.#taken += 1;
    return due;
  }

  /** No more requests. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  /** How many were due before the end and never sent, because no client was free. */
  get unsent(): number {
    const { rate, durationMs, requests } = this.#options;
    if (rate === 0) return 0;
    const elapsed = performance.now() - this.#began;
    const untilMs = durationMs === 0 ? elapsed : Math.min(elapsed, durationMs);
    const due = Math.ceil((untilMs / 1_000) * rate);
    return Math.max(0, (requests === 0 ? due : Math.min(due, requests)) - this.#taken);
  }

  #ended(now: number): boolean {
    const { durationMs } = this.#options;
    return this.#over || (durationMs > 0 && now - this.#began >= durationMs);
  }

  #nextDue(): number | undefined {
    const { rate, requests, durationMs } = this.#options;
    if (requests > 0 && this.#taken >= requests) return undefined;
    const afterMs = (this.#taken / rate) * 1_000;
    return durationMs > 0 && afterMs >= durationMs ? undefined : this.#began + afterMs;
  }

  #wait(): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#ticking) this.#tick();
    });
  }

  /** Wakes those whose request is due, then looks again. */
  #tick(): void {
    this.#ticking = true;
    const now = performance.now();
    let due = this.#ended(now) ? undefined : this.#nextDue();
    while (due !== undefined && due <= now && this.#waiting.length > 0) {
      this.#taken += 1;
      this.#waiting.shift()?.(due);
      due = this.#nextDue();
    }
    if (due === undefined) for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    if (due === undefined || this.#waiting.length === 0) {
      this.#ticking = false;
      return;
    }
    const sleepMs = due - now - TIMER_SLACK_MS;
    if (sleepMs >= 1) this.#timer = setTimeout(() => this.#tick(), sleepMs);
    else setImmediate(() => this.#tick());
  }
}
