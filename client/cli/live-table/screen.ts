// A terminal that shows one picture in place, on its second screen, and is as it was afterwards,
// whatever ends the process but a KILL.

import { writeSync } from "node:fs";
import type { Output } from "../output.js";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const END_OF_LINE = "\u001b[K";
const END_OF_SCREEN = "\u001b[J";

/** What terminals have that do not tell. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export class Screen {
  readonly #output: Output;
  readonly #redraw: () => void;
  #entered = false;

  /** `redraw` is asked for when the size has changed, or the process was stopped and goes on. */
  constructor(output: Output, redraw: () => void) {
    this.#output = output;
    this.#redraw = redraw;
  }

  get size(): Size {
    const { columns, rows } = process.stdout;
    return {
      columns: columns > 0 ? columns : DEFAULT_SIZE.columns,
      rows: rows > 0 ? rows : DEFAULT_SIZE.rows,
    };
  }

  async enter(): Promise<void> {
    this.#entered = true;
    process.on("exit", this.#atExit);
    process.on("SIGCONT", this.#again);
    process.stdout.on("resize", this.#redraw);
    await this.#output.write(ENTER);
    await this.#output.flush();
  }

  async draw(lines: readonly string[]): Promise<void> {
    const text = lines.join(`${END_OF_LINE}\r\n`);
    await this.#output.write(`${HOME}${text}${END_OF_LINE}${END_OF_SCREEN}`);
    await this.#output.flush();
  }

  async leave(): Promise<void> {
    if (!this.#entered) return;
    this.#entered = false;
    process.off("exit", this.#atExit);
    process.off("SIGCONT", this.#again);
    process.stdout.off("resize", this.#redraw);
    await this.#output.write(LEAVE);
    await this.#output.flush();
  }

  /** The shell has had the terminal meanwhile. */
  readonly #again = (): void => {
    this.#output.write(ENTER).catch(() => {});
    this.#redraw();
  };

  readonly #atExit = (): void => {
    try {
      writeSync(process.stdout.fd, LEAVE);
    } catch {
      // The terminal is gone.
    }
  };
}
