// A progress bar on standard error, with rate and remaining time, on a terminal only; elsewhere,
// and with --quiet, nothing.

import type { SingleBar } from "cli-progress";
import { roughText } from "./duration.js";
import type { Output } from "./output.js";

export interface Progress {
  /** @param done so far, of the total; @param count so far, of what is told. */
  update(done: number, count: number): void;
  stop(): void;
}

const SILENT: Progress = { update() {}, stop() {} };

/** Without a total there is only the count, as `told` has it: keys, unless it is given. */
export async function startProgress(
  output: Output,
  options: {
    readonly label: string;
    readonly total: number | undefined;
    readonly told?: (count: number) => string;
  },
): Promise<Progress> {
  const { told = keysText } = options;
  if (output.quiet || !output.notesToTerminal) return SILENT;
  const { default: library } = await import("cli-progress");
  const { label } = options;
  // On a narrow terminal the figures matter more than the bar; one that tells no width has 0.
  const narrow = (process.stderr.columns || 80) < 80;
  const measured = narrow ? "{percentage}%" : "[{bar}] {percentage}%";
  const bar = new library.SingleBar({
    format: `${label} ${options.total === undefined ? "" : `${measured} `}{count}{pace}`,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 20,
    // A signal is the command's to handle; it stops the bar by ending.
    gracefulExit: false,
  });
  const total = Math.max(1, options.total ?? 1);
  bar.start(total, 0, { count: told(0), pace: "" });
  return new Bar(bar, { told, total: options.total === undefined ? undefined : total, narrow });
}

interface Measure {
  readonly told: (count: number) => string;
  readonly total: number | undefined;
  /** Room for the remaining time or the rate, not for both. */
  readonly narrow: boolean;
}

/** Before that, a rate tells more of the start than of what follows. */
const PACE_AFTER_MS = 1_000;

class Bar implements Progress {
  readonly #bar: SingleBar;
  readonly #measure: Measure;
  readonly #startedMs = performance.now();

  constructor(bar: SingleBar, measure: Measure) {
    this.#bar = bar;
    this.#measure = measure;
  }

  update(done: number, count: number): void {
    const { told, total } = this.#measure;
    const elapsedMs = performance.now() - this.#startedMs;
    const pace =
      elapsedMs < PACE_AFTER_MS ? "" : paceText(this.#measure, { done, count, elapsedMs });
    this.#bar.update(total === undefined ? 0 : done, { count: told(count), pace });
  }

  stop(): void {
    this.#bar.stop();
  }
}

/** ", 12000 keys/s, 3s left". */
function paceText(
  { told, total, narrow }: Measure,
  at: { readonly done: number; readonly count: number; readonly elapsedMs: number },
): string {
  const rate = `, ${told(Math.round((at.count * 1_000) / at.elapsedMs))}/s`;
  if (total === undefined || at.done === 0 || at.done >= total) return rate;
  const leftMs = ((total - at.done) * at.elapsedMs) / at.done;
  const left = `, ${roughText(Math.ceil(leftMs / 1_000) * 1_000)} left`;
  return narrow ? left : rate + left;
}

function keysText(count: number): string {
  return count === 1 ? "1 key" : `${count} keys`;
}
