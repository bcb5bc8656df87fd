// A progress bar on standard error, on a terminal only; elsewhere, and with --quiet, nothing.

import type { SingleBar } from "cli-progress";
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
  const bar = new library.SingleBar({
    format:
      options.total === undefined
        ? `${options.label} {count}`
        : `${options.label} [{bar}] {percentage}% {count}`,
    clearOnComplete: true,
    hideCursor: true,
    barsize: barSize(),
    // A signal is the command's to handle; it stops the bar by ending.
    gracefulExit: false,
  });
  bar.start(Math.max(1, options.total ?? 1), 0, { count: told(0) });
  return new Bar(bar, told, options.total !== undefined);
}

/** On a narrow terminal the bar makes room for what is told. */
function barSize(): number {
  const { columns } = process.stderr;
  return Math.max(4, Math.min(30, (columns ?? 80) - 42));
}

class Bar implements Progress {
  readonly #bar: SingleBar;
  readonly #told: (count: number) => string;
  readonly #measured: boolean;

  constructor(bar: SingleBar, told: (count: number) => string, measured: boolean) {
    this.#bar = bar;
    this.#told = told;
    this.#measured = measured;
  }

  update(done: number, count: number): void {
    this.#bar.update(this.#measured ? done : 0, { count: this.#told(count) });
  }

  stop(): void {
    this.#bar.stop();
  }
}

function keysText(count: number): string {
  return count === 1 ? "1 key" : `${count} keys`;
}
