// Counts answers between the end of the warming up and the end, and what this process used.

import { createHistogram } from "node:perf_hooks";
import type { LoadPlan, LoadResult } from "./load.js";

export class Stopwatch {
  readonly latency = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 });
  readonly #from: number;
  readonly #until: number;
  readonly #wanted: number;
  #countedFrom = 0;
  #usedBefore = process.cpuUsage();
  #answers = 0;
  #counted = 0;

  constructor({ seconds, warmUpSeconds = 0, messages }: LoadPlan) {
    const now = performance.now();
    this.#wanted = messages ?? Number.POSITIVE_INFINITY;
    this.#from = messages === undefined ? now + warmUpSeconds * 1000 : now;
    this.#until = messages === undefined ? this.#from + seconds * 1000 : Number.POSITIVE_INFINITY;
    this.#countedFrom = now;
  }

  /** Whether one more may be sent, of which `sent` have been. */
  mayGoOn(sent: number): boolean {
    return sent < this.#wanted && performance.now() < this.#until;
  }

  /** An answer has come to what was sent, or should have been, at this time. */
  answered(sentAt: number): void {
    const now = performance.now();
    this.#answers += 1;
    if (now < this.#from) {
      this.#countedFrom = now;
      this.#usedBefore = process.cpuUsage();
      return;
    }
    if (now > this.#until) return;
    this.#counted += 1;
    this.latency.record(Math.max(1, Math.round((now - sentAt) * 1000)));
  }

  get answers(): number {
    return this.#answers;
  }

  result(): LoadResult {
    const end = Math.min(performance.now(), this.#until);
    const seconds = (end - this.#countedFrom) / 1000;
    const { user, system } = process.cpuUsage(this.#usedBefore);
    return {
      messages: this.#counted,
      seconds,
      rate: this.#counted / seconds,
      senderShare: (user + system) / 1e6 / seconds,
      latency: this.latency,
    };
  }
}
