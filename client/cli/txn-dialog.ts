// A txn typed line by line at a terminal: compares, what to do when they hold, what else. Each line
// is checked when it is entered, so that a mistake costs one line; before anything is sent the
// whole is shown, and asked for.

import { createInterface, type Interface } from "node:readline";
import type { Compare, Operation, TxnSpec } from "../index.js";
import { EXIT } from "./exit-codes.js";
import { Failure, UsageError } from "./failure.js";
import type { Output } from "./output.js";
import { compares } from "./txn-compares.js";
import { operations } from "./txn-operations.js";
import { textOfTxn } from "./txn-text.js";
import { mistake, tokensOfText } from "./txn-words.js";

const HEAD = "An empty line goes on to the next part, Ctrl-C sends nothing.";
const COMPARES = `Compares: mod(KEY) = 41, value(KEY) = "x", exists(KEY), !exists(KEY)`;
const THEN = "When they hold: put KEY VALUE, get KEY, del KEY, range --prefix P";
const ELSE = "When they do not:";

/** @throws Failure when it was given up. */
export async function txnFromDialog(output: Output, signal: AbortSignal): Promise<TxnSpec> {
  const dialog = new Dialog(output, signal);
  try {
    output.prompt(`${HEAD}\n`);
    const compare = await dialog.lines(COMPARES, "compare> ", comparesOf);
    const success = await dialog.lines(THEN, "then> ", operationsOf);
    const failure = await dialog.lines(ELSE, "else> ", operationsOf);
    if (success.length + failure.length === 0) {
      throw new Failure(EXIT.negative, "there is no operation; nothing was sent");
    }
    const spec = { compare, success, failure };
    output.prompt(`\n${textOfTxn(spec) ?? ""}\n\n`);
    const answer = await dialog.line("Send it? [y/N] ");
    if (/^y(?:es)?$/i.test(answer.trim())) return spec;
    throw new Failure(EXIT.negative, "nothing was sent");
  } finally {
    dialog.close();
  }
}

function comparesOf(line: string): Compare[] {
  return compares(line, line.length);
}

function operationsOf(line: string): Operation[] {
  const tokens = tokensOfText(line, 0, line.length);
  const dashes = tokens.find(({ kind }) => kind === "dashes");
  if (dashes === undefined) return operations(line, tokens);
  throw mistake(line, dashes.at, "the next part follows an empty line here, not --");
}

class Dialog {
  readonly #output: Output;
  readonly #readline: Interface;
  readonly #lines: AsyncIterator<string>;
  readonly #close: () => void;
  readonly #signal: AbortSignal;
  #interrupted = false;

  constructor(output: Output, signal: AbortSignal) {
    this.#output = output;
    this.#signal = signal;
    const readline = createInterface({ input: process.stdin, output: process.stderr });
    this.#readline = readline;
    this.#lines = readline[Symbol.asyncIterator]();
    this.#close = () => readline.close();
    readline.on("SIGINT", () => {
      this.#interrupted = true;
      readline.close();
    });
    signal.addEventListener("abort", this.#close, { once: true });
  }

  /** What `read` makes of all lines up to an empty one; a line with a mistake is asked for anew. */
  async lines<T>(title: string, prompt: string, read: (line: string) => T[]): Promise<T[]> {
    this.#output.prompt(`${title}\n`);
    const found: T[] = [];
    for (;;) {
      const line = await this.line(prompt);
      if (line.trim() === "") return found;
      try {
        found.push(...read(line));
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        this.#output.error(error.message);
        if (error.detail !== undefined) this.#output.errorDetail(error.detail);
      }
    }
  }

  /** @throws Failure at the end of the input. */
  async line(prompt: string): Promise<string> {
    this.#readline.setPrompt(prompt);
    this.#readline.prompt();
    const { value, done } = await this.#lines.next();
    if (done !== true) return value;
    this.#output.prompt("\n");
    const exitCode = this.#interrupted ? EXIT.interrupted : EXIT.negative;
    throw new Failure(exitCode, "nothing was sent");
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#close);
    this.#readline.close();
  }
}
