// What a bench has counted so far: operations, requests, errors by their names, latencies by kind.

import { isClientError } from "../error-text.js";
import { Latencies, type LatencySummary } from "./latency.js";

export class Tally {
  operations = 0;
  requests = 0;
  /** The connection broke: there is nothing to measure any more. */
  lost: unknown;
  readonly #errors = new Map<string, number>();
  readonly #latencies = new Map<string, Latencies>();

  /** A request that was answered; what of it was refused is told by error(). */
  answered(kind: string, answer: { readonly operations: number; readonly ms: number }): void {
    this.requests += 1;
    this.operations += answer.operations;
    this.latencies(kind).record(answer.ms);
  }

  error(name: string, count = 1): void {
    this.#errors.set(name, (this.#errors.get(name) ?? 0) + count);
  }

  /** A call that threw. False: it makes no sense to go on. @throws what is no answer at all. */
  failed(error: unknown, operations: number): boolean {
    if (!isClientError(error)) throw error;
    this.error(error.reason ?? error.code, operations);
    if (error.code !== "UNAVAILABLE" || error.reason === "LOG_FAILED") return true;
    this.lost ??= error;
    return false;
  }

  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  get errorCount(): number {
    let sum = 0;
    for (const count of this.#errors.values()) sum += count;
    return sum;
  }

  /** Of what is measured most of all. */
  get p99(): number | undefined {
    const [first] = this.#latencies.values();
    return first?.p99;
  }

  latencies(kind: string): Latencies {
    const known = this.#latencies.get(kind);
    if (known !== undefined) return known;
    const made = new Latencies();
    this.#latencies.set(kind, made);
    return made;
  }

  /** Milliseconds, by kind. */
  get summaries(): Readonly<Record<string, LatencySummary>> {
    return Object.fromEntries(
      [...this.#latencies]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .flatMap((each) => {
          const [kind, latencies] = each;
          const summary = latencies.summary();
          return summary === undefined ? [] : [[kind, summary]];
        }),
    );
  }
}
