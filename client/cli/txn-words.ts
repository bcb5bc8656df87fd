// The words of the txn grammar, with their places, so that an error can point at one.
//
// A word is bare, up to a blank or a `;`, or in double quotes with JSON's escapes. On a command
// line the shell has taken the words apart already: an argument is one word as it is, whatever it
// holds.

import { UsageError } from "./failure.js";

/** All that was typed, as one text: arguments with a blank between them, or standard input. */
export type Source = string;

export type Token =
  | {
      readonly kind: "word";
      readonly text: string;
      /** In double quotes: never a flag, never a mark. */
      readonly quoted: boolean;
      readonly at: number;
    }
  /** `;`, or the end of a line. */
  | { readonly kind: "separator"; readonly at: number }
  /** `--` */
  | { readonly kind: "dashes"; readonly at: number };

/** The mistake, and below it the line with a caret under its place. */
export function mistake(source: Source, at: number, what: string): UsageError {
  const lines = source.split("\n");
  let line = 0;
  let column = at;
  while (line < lines.length - 1 && column > (lines[line] ?? "").length) {
    column -= (lines[line] ?? "").length + 1;
    line += 1;
  }
  const where =
    lines.length > 1 ? `line ${line + 1}, column ${column + 1}` : `column ${column + 1}`;
  const detail = caret(lines[line] ?? "", column);
  return new UsageError(`txn, ${where}: ${what}`, { detail });
}

const SHOWN = 60;

function caret(line: string, column: number): string {
  const from = Math.max(0, column - SHOWN);
  const cut = line.slice(from, column + SHOWN);
  // One for one, so that the column stays what it is.
  const shown = cut.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, " ");
  return `  ${shown}\n  ${" ".repeat(column - from)}^`;
}

/** A piece of the source that is read character by character. */
export class Scanner {
  readonly #source: Source;
  readonly #end: number;
  at: number;

  constructor(source: Source, from: number, end: number) {
    this.#source = source;
    this.at = from;
    this.#end = end;
  }

  get done(): boolean {
    return this.at >= this.#end;
  }

  /** Is this what comes next? Then it is taken. */
  take(text: string): boolean {
    if (!this.#source.startsWith(text, this.at) || this.at + text.length > this.#end) return false;
    this.at += text.length;
    return true;
  }

  skip(blanks: RegExp): void {
    while (!this.done && blanks.test(this.#source[this.at] ?? "")) this.at += 1;
  }

  skipLine(): void {
    while (!this.done && this.#source[this.at] !== "\n") this.at += 1;
  }

  /** A word that ends before a blank, or before one of `ends`. */
  word(ends: RegExp): Token & { readonly kind: "word" } {
    const from = this.at;
    if (this.#source[from] === '"') return this.#quoted();
    while (!this.done && !ends.test(this.#source[this.at] ?? "")) this.at += 1;
    return { kind: "word", text: this.#source.slice(from, this.at), quoted: false, at: from };
  }

  #quoted(): Token & { readonly kind: "word" } {
    const from = this.at;
    this.at += 1;
    while (!this.done && this.#source[this.at] !== '"') {
      this.at += this.#source[this.at] === "\\" ? 2 : 1;
    }
    if (!this.take('"')) throw mistake(this.#source, from, "this quote is not closed");
    const literal = this.#source.slice(from, this.at);
    const text = stringFromJson(literal.replace(/\t/g, "\\t"));
    if (text === undefined) {
      throw mistake(
        this.#source,
        from,
        "double quotes take JSON's escapes: \\n, \\\", \\\\, \\u00e9",
      );
    }
    return { kind: "word", text, quoted: true, at: from };
  }
}

function stringFromJson(literal: string): string | undefined {
  try {
    const text: unknown = JSON.parse(literal);
    return typeof text === "string" && !/\p{Surrogate}/u.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

const WORD_END = /[\s;]/;

/**
 * The words, separators and `--` of a piece of text. A `#` at the start of a line hides the line.
 */
export function tokensOfText(source: Source, from: number, end: number): Token[] {
  const scanner = new Scanner(source, from, end);
  const tokens: Token[] = [];
  let lineStart = true;
  for (;;) {
    scanner.skip(/[ \t\r]/);
    if (scanner.done) return tokens;
    const { at } = scanner;
    if (lineStart && scanner.take("#")) {
      scanner.skipLine();
    } else if (scanner.take("\n") || scanner.take(";")) {
      lineStart = source[at] === "\n";
      tokens.push({ kind: "separator", at });
    } else {
      lineStart = false;
      const word = scanner.word(WORD_END);
      tokens.push(!word.quoted && word.text === "--" ? { kind: "dashes", at } : word);
    }
  }
}

/** The same of arguments: `;` and `--` alone are marks; a whole operation may be one argument. */
export function tokensOfArguments(
  source: Source,
  parts: readonly { readonly text: string; readonly at: number }[],
): Token[] {
  const tokens: Token[] = [];
  for (const { text, at } of parts) {
    const before = tokens.at(-1)?.kind;
    const first = before === undefined || before !== "word";
    if (text === "--") tokens.push({ kind: "dashes", at });
    else if (text === ";") tokens.push({ kind: "separator", at });
    else if (first && WORD_END.test(text)) {
      tokens.push(...tokensOfText(source, at, at + text.length));
    } else tokens.push({ kind: "word", text, quoted: false, at });
  }
  return tokens;
}
