// A clock that tests move by hand: nothing happens in time unless a test says so.
//
// Timers fire inside advance(), in the order of their due times and then of their setting, each at
// its own moment. Wall time goes along with monotonic time and can jump by itself. Turns of the
// event loop are real ones, so that what was started can run on.

import type { Clock, Timer } from "../../server/lib/clock.js";

interface PendingTimer {
  readonly dueMs: number;
  readonly number: number;
  readonly callback: () => void;
}

export interface ManualClockStart {
  readonly wallMs?: number;
  readonly monotonicMs?: number;
}

/** Work that a timer starts takes a few turns; this many are enough for all that the tests do. */
const SETTLE_TURNS = 8;

export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs: number;
  #timersSet = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor({ wallMs = 1_700_000_000_000, monotonicMs = 1000 }: ManualClockStart = {}) {
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#timersSet += 1;
    const dueMs = this.#monotonicMs + Math.max(0, delayMs);
    const timer: PendingTimer = { dueMs, number: this.#timersSet, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  yieldTurn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Timers that have neither fired nor been cancelled: 0 after an orderly close. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves both times on and fires what comes due, also timers that are set meanwhile. */
  advance(ms: number): void {
    const target = this.#monotonicMs + ms;
    for (;;) {
      const timer = this.#nextDue(target);
      if (timer === undefined) break;
      this.#timers.delete(timer);
      this.#moveTo(Math.max(this.#monotonicMs, timer.dueMs));
      timer.callback();
    }
    this.#moveTo(target);
  }

  /** Moves the wall clock alone, forwards or backwards, as an administrator does. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  /** Lets all that was started run until it waits for something else than a turn. */
  async settle(turns: number = SETTLE_TURNS): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await this.yieldTurn();
  }

  /** advance(), then settle(): what timers start in turns of their own is done afterwards. */
  async advanceAndSettle(ms: number): Promise<void> {
    this.advance(ms);
    await this.settle();
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #nextDue(targetMs: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > targetMs) continue;
      if (next === undefined || isBefore(timer, next)) next = timer;
    }
    return next;
  }
}

function isBefore(a: PendingTimer, b: PendingTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}
