// A progress bar on standard error, on a terminal only; elsewhere, and with --quiet, nothing.

import type { SingleBar } from "cli-progress";
import type { Output } from "./output.js";

export interface Progress {
  /** @param done so far, of the total; @param rows so far. */
  update(done: number, rows: number): void;
  stop(): void;
}

const SILENT: Progress = { update() {}, stop() {} };

/** Without a total there is only the number of rows. */
export async function startProgress(
  output: Output,
  options: { readonly label: string; readonly total: number | undefined },
): Promise<Progress> {
  if (output.quiet || !output.notesToTerminal) return SILENT;
  const { default: library } = await import("cli-progress");
  const bar = new library.SingleBar({
    format:
      options.total === undefined
        ? `${options.label} {rows}`
        : `${options.label} [{bar}] {percentage}% {rows}`,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 30,
    // A signal is the command's to handle; it stops the bar by ending.
    gracefulExit: false,
  });
  bar.start(Math.max(1, options.total ?? 1), 0, { rows: rowsText(0) });
  return new Bar(bar, options.total !== undefined);
}

class Bar implements Progress {
  readonly #bar: SingleBar;
  readonly #measured: boolean;

  constructor(bar: SingleBar, measured: boolean) {
    this.#bar = bar;
    this.#measured = measured;
  }

  update(done: number, rows: number): void {
    this.#bar.update(this.#measured ? done : 0, { rows: rowsText(rows) });
  }

  stop(): void {
    this.#bar.stop();
  }
}

function rowsText(rows: number): string {
  return rows === 1 ? "1 key" : `${rows} keys`;
}
