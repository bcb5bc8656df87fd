// A terminal that is written to, with the knowledge whether its last line was ended: a prompt must
// not erase a value that has no newline.

import { Writable } from "node:stream";

type Terminal = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

const NEWLINE = 0x0a;

/** Of one terminal, whichever stream it is reached through. */
export interface Cursor {
  /** Does the next text begin a line? */
  lineEnded: boolean;
}

export class Column extends Writable {
  readonly isTTY = true;
  readonly #terminal: Terminal;
  readonly #cursor: Cursor;

  constructor(terminal: Terminal, cursor: Cursor) {
    super({ decodeStrings: true });
    this.#terminal = terminal;
    this.#cursor = cursor;
    terminal.on("resize", () => this.emit("resize"));
  }

  get columns(): number | undefined {
    return this.#terminal.columns;
  }

  get rows(): number | undefined {
    return this.#terminal.rows;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    if (chunk.length > 0) this.#cursor.lineEnded = chunk.at(-1) === NEWLINE;
    this.#terminal.write(chunk, (error) => done(error));
  }
}
