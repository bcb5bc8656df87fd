// The terminal's input, handed to the line editor a line at a time: what was pasted behind a line
// waits while its command runs, and a command that asks something reads the terminal itself.

import { Readable } from "node:stream";
import type { ReadStream } from "node:tty";

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const END_OF_INPUT = 0x04;

export class Keyboard extends Readable {
  /** The line editor takes it for a terminal. */
  readonly isTTY = true;
  readonly #terminal: ReadStream;
  readonly #take = (chunk: Buffer) => this.#keys(chunk);
  readonly #end = () => this.push(null);
  /** The next keys may have been typed while a command ran. */
  #typedAhead = false;

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
    this.#typedAhead = true;
    this.#terminal.resume();
  }

  detach(): void {
    this.#terminal.pause();
    this.#terminal.off("data", this.#take).off("end", this.#end).off("error", this.#end);
  }

  #keys(typed: Buffer): void {
    const chunk = this.#typedAhead ? withEndOfInput(typed) : typed;
    this.#typedAhead = false;
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

/** The end of input that came while the terminal had lines is kept by Linux as a zero. */
function withEndOfInput(keys: Buffer): Buffer {
  return keys.map((key) => (key === 0 ? END_OF_INPUT : key)) as Buffer;
}
