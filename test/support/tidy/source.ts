// A source file as the rules of the house look at it: its text, and the same text with what is not
// code blanked, so that offsets and lines stay.
//
// A small scanner, not a parser: it knows comments, texts, templates and regular expressions, and
// nothing of types. A regular expression is told from a division by what stands before it.

export interface Source {
  /** From the root of the project, with "/". */
  readonly path: string;
  readonly text: string;
  /** Comments and the insides of texts and regular expressions are blanks. */
  readonly code: string;
  /** All but comments are blanks. */
  readonly comments: string;
}

/** What is wrong, where, and what to write instead. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** An import or a re-export, static or dynamic, of values or of types. */
export interface Import {
  /** Undefined when it is computed. */
  readonly specifier: string | undefined;
  readonly line: number;
}

type Kind = "code" | "comment" | "literal";

export function sourceFromText(path: string, text: string): Source {
  const kinds = kindsOf(text);
  const keep = (kept: (kind: Kind) => boolean) => {
    let out = "";
    for (const { kind, end } of kinds) {
      const part = text.slice(out.length, end);
      out += kept(kind) ? part : part.replace(/[^\n]/g, " ");
    }
    return out;
  };
  return {
    path,
    text,
    code: keep((kind) => kind === "code"),
    comments: keep((kind) => kind === "comment"),
  };
}

export function findingAt(source: Source, offset: number, text: string): Finding {
  return { path: source.path, line: lineAt(source, offset), text };
}

export function lineAt({ text }: Source, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Every match of a pattern in the code. */
export function* matchesInCode(source: Source, pattern: RegExp): Generator<RegExpExecArray> {
  yield* source.code.matchAll(pattern) as IterableIterator<RegExpExecArray>;
}

const STATIC_IMPORT = /\b(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*(["'])/g;
const DYNAMIC_IMPORT = /(?<![.#\w$])import\s*\(\s*(\S)/g;

export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  for (const pattern of [STATIC_IMPORT, DYNAMIC_IMPORT]) {
    for (const match of matchesInCode(source, pattern)) {
      const open = match.index + match[0].length - 1;
      found.push({ specifier: textAt(source.text, open), line: lineAt(source, match.index) });
    }
  }
  return found;
}

/** The text between the quote at `open` and its like. */
function textAt(text: string, open: number): string | undefined {
  const quote = text[open] ?? "";
  if (!/["'`]/.test(quote)) return undefined;
  const end = text.indexOf(quote, open + 1);
  const inside = text.slice(open + 1, end);
  return quote === "`" && inside.includes("${") ? undefined : inside;
}

interface Piece {
  readonly kind: Kind;
  readonly end: number;
}

/** Quotes and slashes count as code; what they enclose does not. */
function kindsOf(text: string): Piece[] {
  const scanner = new Scanner(text);
  scanner.run();
  return scanner.pieces;
}

class Scanner {
  readonly pieces: Piece[] = [];
  readonly #text: string;
  /** Braces open in the code of each template that encloses this place. */
  readonly #templates: number[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    if (this.#text.startsWith("#!")) this.#until("comment", this.#lineEnd());
    while (this.#at < this.#text.length) this.#step();
  }

  #step(): void {
    const text = this.#text;
    const here = text[this.#at] ?? "";
    const two = text.slice(this.#at, this.#at + 2);
    if (two === "//") this.#until("comment", this.#lineEnd());
    else if (two === "/*") this.#until("comment", this.#after("*/"));
    else if (here === '"' || here === "'") this.#quoted(here);
    else if (here === "`") this.#template();
    else if (here === "/" && this.#regularExpressionMayStart()) this.#regularExpression();
    else this.#codeCharacter(here);
  }

  #codeCharacter(here: string): void {
    const depth = this.#templates.length - 1;
    const braces = this.#templates[depth];
    this.#until("code", this.#at + 1);
    if (braces === undefined) return;
    if (here === "{") this.#templates[depth] = braces + 1;
    if (here !== "}") return;
    this.#templates[depth] = braces - 1;
    if (braces > 1) return;
    this.#templates.pop();
    this.#templateText();
  }

  #quoted(quote: string): void {
    this.#until("code", this.#at + 1);
    this.#until(
      "literal",
      this.#unescaped((here) => here === quote || here === "\n"),
    );
    this.#until("code", this.#at + 1);
  }

  #template(): void {
    this.#until("code", this.#at + 1);
    this.#templateText();
  }

  #templateText(): void {
    const text = this.#text;
    const end = this.#unescaped(
      (here, at) => here === "`" || (here === "$" && text[at + 1] === "{"),
    );
    this.#until("literal", end);
    const open = text[end] === "$";
    this.#until("code", end + (open ? 2 : 1));
    if (open) this.#templates.push(1);
  }

  #regularExpression(): void {
    this.#until("code", this.#at + 1);
    let inClass = false;
    const end = this.#unescaped((here) => {
      if (here === "[") inClass = true;
      if (here === "]") inClass = false;
      return here === "\n" || (here === "/" && !inClass);
    });
    this.#until("literal", end);
    this.#until("code", end + 1);
  }

  #regularExpressionMayStart(): boolean {
    const before = this.#text.slice(Math.max(0, this.#at - 200), this.#at).trimEnd();
    if (before === "" || /[=(,:;!&|?{}[+\-*%~^<>]$/.test(before)) return true;
    return /\b(?:return|typeof|case|in|of|await|yield|else|do)$/.test(before);
  }

  #unescaped(isEnd: (here: string, at: number) => boolean): number {
    for (let at = this.#at; at < this.#text.length; at += 1) {
      const here = this.#text[at] ?? "";
      if (here === "\\") at += 1;
      else if (isEnd(here, at)) return at;
    }
    return this.#text.length;
  }

  #lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#at);
    return end < 0 ? this.#text.length : end;
  }

  #after(mark: string): number {
    const end = this.#text.indexOf(mark, this.#at + mark.length);
    return end < 0 ? this.#text.length : end + mark.length;
  }

  #until(kind: Kind, end: number): void {
    const bounded = Math.min(end, this.#text.length);
    if (bounded > this.#at) this.pieces.push({ kind, end: bounded });
    this.#at = bounded;
  }
}
