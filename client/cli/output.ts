// The only writer to standard output and standard error.
//
// Standard output carries the answer and nothing else; standard error carries errors, notes and
// progress. Output is collected into chunks and each is awaited, so a slow reader slows the command
// instead of filling memory; a reader that is gone ends it (OutputClosed).

import type { Writable } from "node:stream";
import { EXIT } from "./exit-codes.js";
import { Failure, OutputClosed } from "./failure.js";
import { FileTarget } from "./file-target.js";
import type { Format, Settings } from "./settings.js";
import { plainLine, safeJson } from "./terminal-text.js";
import { fileErrorText } from "./values.js";

const CHUNK_BYTES = 64 * 1024;

const STYLES = { red: 31, green: 32, yellow: 33, cyan: 36, bold: 1, dim: 2 } as const;
export type Style = keyof typeof STYLES;

type Environment = Readonly<Record<string, string | undefined>>;

/** The parts of a process that are written to. */
export interface Streams {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number | undefined };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Environment;
}

export class Output {
  readonly format: Format;
  readonly quiet: boolean;
  readonly #streams: Streams;
  readonly #settings: Pick<Settings, "color">;
  #file: FileTarget | undefined;
  #parts: (string | Uint8Array)[] = [];
  #bytes = 0;

  constructor(settings: Pick<Settings, "format" | "quiet" | "color">, streams: Streams) {
    this.format = settings.format;
    this.quiet = settings.quiet;
    this.#settings = settings;
    this.#streams = streams;
    for (const stream of [streams.stdout, streams.stderr]) outliveErrors(stream);
  }

  /** Are answers shown on a terminal? Then stored control characters are escaped. */
  get toTerminal(): boolean {
    return this.#file === undefined && this.#streams.stdout.isTTY === true;
  }

  /** How wide the terminal is that answers are shown on; undefined: there is none. */
  get columns(): number | undefined {
    return this.toTerminal ? this.#streams.stdout.columns : undefined;
  }

  get notesToTerminal(): boolean {
    return this.#streams.stderr.isTTY === true;
  }

  /** From here on answers go to a file; "-" is standard output. @throws Failure */
  async writeTo(path: string): Promise<void> {
    if (path !== "-") this.#file = await FileTarget.open(path);
  }

  /** Adds to the answer, exactly. */
  async write(part: string | Uint8Array): Promise<void> {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes >= CHUNK_BYTES) await this.flush();
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** A JSON document on lines of its own, or on one line with jsonl. */
  async json(value: unknown): Promise<void> {
    const text = this.format === "jsonl" ? JSON.stringify(value) : JSON.stringify(value, null, 2);
    await this.line(this.jsonText(text));
  }

  /** JSON as it may be shown where answers go. */
  jsonText(text: string): string {
    return this.toTerminal ? safeJson(text) : text;
  }

  /** What was written so far reaches the reader. @throws OutputClosed, Failure */
  async flush(): Promise<void> {
    if (this.#parts.length === 0) return;
    const chunk = chunkOf(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    if (this.#file !== undefined) await this.#file.write(chunk);
    else await writeAll(this.#streams.stdout, chunk);
  }

  /** The end of the command. A file keeps its name only when the answer is `complete`. */
  async close(options: { readonly complete: boolean }): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file?.close(options);
      this.#file = undefined;
    }
  }

  /** A remark beside the answer; --quiet leaves it out. */
  note(text: string): void {
    if (!this.quiet) this.#streams.stderr.write(`${plainLine(text)}\n`);
  }

  /** An error: one line, in place of a progress bar that may stand there. */
  error(text: string): void {
    const clear = this.notesToTerminal ? "\r\u001b[K" : "";
    this.#streams.stderr.write(`${clear}${this.#errorPrefix()} ${plainLine(text)}\n`);
  }

  /** More about an error, in lines as they are: a caret, a stack. */
  errorDetail(lines: string): void {
    this.#streams.stderr.write(`${lines}\n`);
  }

  /** Asks on the terminal; without one the answer is no answer. */
  prompt(text: string): void {
    this.#streams.stderr.write(text);
  }

  /** Text of an answer in a colour, where colours are wanted. */
  style(style: Style, text: string): string {
    const terminal = this.#file === undefined && this.#streams.stdout.isTTY === true;
    return this.#colors(terminal) ? styled(style, text) : text;
  }

  #errorPrefix(): string {
    return this.#colors(this.notesToTerminal) ? styled("red", "kvctl:") : "kvctl:";
  }

  #colors(terminal: boolean): boolean {
    if (this.#settings.color !== "auto") return this.#settings.color === "always";
    const { FORCE_COLOR: force, NO_COLOR: none, TERM: term } = this.#streams.environment;
    if (force !== undefined) return force !== "0" && force !== "false";
    if (none !== undefined && none !== "") return false;
    return terminal && term !== "dumb";
  }
}

const outliving = new WeakSet<Writable>();

/** What a write meets comes through its callback; without a listener it would end the process. */
function outliveErrors(stream: Writable): void {
  if (outliving.has(stream)) return;
  outliving.add(stream);
  stream.on("error", () => {});
}

function styled(style: Style, text: string): string {
  return `\u001b[${STYLES[style]}m${text}\u001b[0m`;
}

function chunkOf(parts: readonly (string | Uint8Array)[]): Buffer {
  if (parts.every((part) => typeof part === "string")) return Buffer.from(parts.join(""), "utf8");
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

function writeAll(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(writeError(error));
    });
  });
}

function writeError(error: NodeJS.ErrnoException): Error {
  if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") {
    return new OutputClosed("standard output is closed");
  }
  const text = `cannot write to standard output: ${fileErrorText(error)}`;
  return new Failure(EXIT.internal, text, { cause: error });
}
