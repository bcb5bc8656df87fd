// A clock that moves only when a test moves it.

import type { Clock, Timer } from "../../server/lib/clock.js";

interface Armed {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Turns that let whatever a timer has started run to its end. */
const SETTLE_TURNS = 8;

export class ManualClock implements Clock {
  #wallMs = 1_700_000_000_000;
  #monotonicMs = 1000;
  readonly #armed = new Set<Armed>();

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const armed = { dueMs: this.#monotonicMs + delayMs, callback };
    this.#armed.add(armed);
    return { cancel: () => this.#armed.delete(armed) };
  }

  yieldTurn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves both times on; timers that fall due fire in their order, each at its time. */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms;
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.dueMs > untilMs) break;
      this.#armed.delete(next);
      this.#moveTo(Math.max(next.dueMs, this.#monotonicMs));
      next.callback();
    }
    this.#moveTo(untilMs);
  }

  /** The same, and then lets everything run that is ready. */
  async advanceAndSettle(ms: number): Promise<void> {
    this.advance(ms);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await this.yieldTurn();
  }

  /** The wall clock is set; time does not pass. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  #next(): Armed | undefined {
    let next: Armed | undefined;
    for (const armed of this.#armed) {
      if (next === undefined || armed.dueMs < next.dueMs) next = armed;
    }
    return next;
  }

  #moveTo(ms: number): void {
    this.#wallMs += ms - this.#monotonicMs;
    this.#monotonicMs = ms;
  }
}
