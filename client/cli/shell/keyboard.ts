// The terminal's input, handed to the line editor a line at a time: what was pasted behind a line
// waits while its command runs, and a command that asks something reads the terminal itself.

import { Readable } from "node:stream";
import type { ReadStream } from "node:tty";

const NEWLINE = 0x0a;
const RETURN = 0x0d;

export class Keyboard extends Readable {
  /** The line editor takes it for a terminal. */
  readonly isTTY = true;
  readonly #terminal: ReadStream;
  readonly #take = (chunk: Buffer) => this.#keys(chunk);
  readonly #end = () => this.push(null);

  constructor(terminal: ReadStream) {
    super({ objectMode: true, read: () => {} });
    this.#terminal = terminal;
  }

  /** For the line editor. */
  setRawMode(raw: boolean): this {
    if (!this.#terminal.destroyed) this.#terminal.setRawMode(raw);
    return this;
  }

  /** From here on keys are read. */
  attach(): void {
    // A command that asked something was told of the end instead.
    if (this.#terminal.readableEnded || this.#terminal.destroyed) this.push(null);
    this.#terminal.on("data", this.#take).on("end", this.#end).on("error", this.#end);
    this.#terminal.resume();
  }

  detach(): void {
    this.#terminal.pause();
    this.#terminal.off("data", this.#take).off("end", this.#end).off("error", this.#end);
  }

  #keys(chunk: Buffer): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (chunk[at] !== RETURN && chunk[at] !== NEWLINE) continue;
      if (chunk[at] === RETURN && chunk[at + 1] === NEWLINE) at += 1;
      this.push(chunk.subarray(from, at + 1));
      from = at + 1;
    }
    if (from < chunk.length) this.push(chunk.subarray(from));
  }
}
