// How long requests took: a histogram of nanoseconds to three digits, and what is told of it.

import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** Milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export const PERCENTILES = ["p50", "p90", "p99", "p999", "max"] as const;

/** Longer than any timeout that somebody waits for. */
const HIGHEST_NS = 3_600_000_000_000;

export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: HIGHEST_NS,
    figures: 3,
  });

  record(ms: number): void {
    this.#histogram.record(Math.min(HIGHEST_NS, Math.max(1, Math.round(ms * 1e6))));
  }

  get p99(): number {
    return this.#histogram.percentile(99) / 1e6;
  }

  /** Undefined when there was none. */
  summary(): LatencySummary | undefined {
    const histogram = this.#histogram;
    if (histogram.count === 0) return undefined;
    const at = (percentile: number) => exact(histogram.percentile(percentile));
    return {
      count: histogram.count,
      mean: exact(histogram.mean),
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: exact(histogram.max),
    };
  }
}

/** Microseconds are as fine as a process in JavaScript can tell. */
function exact(ns: number): number {
  return Math.round(ns / 1e3) / 1e3;
}

/** "412us", "1.25ms", "3.1s". */
export function latencyText(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)}us`;
  if (ms < 1_000) return `${Number(ms.toPrecision(3))}ms`;
  return `${Number((ms / 1_000).toPrecision(3))}s`;
}
