// The words of a line, quoted as in a POSIX shell: '…', "…", a backslash, and $'…' with escapes.
//
// Nothing is expanded: `$`, `*` and `~` are text, and a `;` is a word. A `#` that begins a word
// hides the rest of its line. A line may end in the middle of a quote, or in a backslash: then it
// goes on with the next one. Bytes that are not UTF-8 stand in words as argument-bytes.ts has it.

import { wordFromBytes } from "../argument-bytes.js";

/** What the text at a place stands in; "dollar" is `$'…'`. */
export type Quote = "none" | "single" | "double" | "dollar";

export interface Word {
  readonly text: string;
  /** Where it stands in the line, with its quotes. */
  readonly from: number;
  readonly to: number;
  /** A `$` or a backquote stands where a real shell expands it. */
  readonly expands: boolean;
}

export interface Line {
  readonly words: readonly Word[];
  /** At the end of the line. */
  readonly quote: Quote;
  /** It goes on with the next line. */
  readonly open: boolean;
  /** It ends in a comment. */
  readonly comment: boolean;
}

export function lineFromText(text: string): Line {
  return new Lexer(text).line();
}

const BLANK = /[ \t\r\n]/;
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: "\u0007", b: "\b", e: "\u001b", E: "\u001b", f: "\f", n: "\n", r: "\r", t: "\t" },
  ...{ v: "\v", "\\": "\\", "'": "'", '"': '"', "?": "?" },
};
/** After a backslash in `$'…'`: a byte, or a code point. */
const BYTE = /^(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3}))/;
const CODE_POINT = /^(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8}))/;

class Lexer {
  readonly #text: string;
  readonly #words: Word[] = [];
  #at = 0;
  #from: number | undefined;
  #parts: (string | number)[] = [];
  #expands = false;
  #quote: Quote = "none";
  #danglingBackslash = false;
  #comment = false;

  constructor(text: string) {
    this.#text = text;
  }

  line(): Line {
    while (this.#at < this.#text.length) this.#step();
    this.#endWord();
    const open = this.#quote !== "none" || this.#danglingBackslash;
    return { words: this.#words, quote: this.#quote, open, comment: this.#comment };
  }

  #step(): void {
    const here = this.#text[this.#at] ?? "";
    if (this.#quote === "single") this.#inSingle(here);
    else if (this.#quote === "double") this.#inDouble(here);
    else if (this.#quote === "dollar") this.#inDollar(here);
    else this.#outside(here);
  }

  #outside(here: string): void {
    if (BLANK.test(here)) {
      this.#endWord();
      this.#comment = false;
      this.#at += 1;
    } else if (here === "#" && this.#from === undefined) {
      const end = this.#text.indexOf("\n", this.#at);
      this.#comment = end < 0;
      this.#at = end < 0 ? this.#text.length : end;
    } else if (here === "'") this.#open("single", 1);
    else if (here === '"') this.#open("double", 1);
    else if (here === "$" && this.#text[this.#at + 1] === "'") this.#open("dollar", 2);
    else if (here === "\\") this.#backslash(() => true);
    else this.#take(here);
  }

  #inSingle(here: string): void {
    if (here === "'") this.#close();
    else this.#take(here);
  }

  #inDouble(here: string): void {
    if (here === '"') this.#close();
    else if (here === "\\") this.#backslash((next) => '$`"\\'.includes(next));
    else this.#take(here);
  }

  #inDollar(here: string): void {
    if (here === "'") this.#close();
    else if (here === "\\") this.#escape();
    else this.#take(here);
  }

  /** Before a newline both go; before what it does not escape, the backslash stays. */
  #backslash(escapes: (next: string) => boolean): void {
    const next = this.#text[this.#at + 1];
    if (next === "\n") {
      this.#at += 2;
      return;
    }
    this.#begin();
    if (next === undefined) this.#danglingBackslash = true;
    else this.#parts.push(escapes(next) ? next : `\\${next}`);
    this.#at += 2;
  }

  #escape(): void {
    const rest = this.#text.slice(this.#at + 1, this.#at + 10);
    const byte = BYTE.exec(rest);
    const code = CODE_POINT.exec(rest);
    const hex = code?.[1] ?? code?.[2] ?? code?.[3];
    const point = hex === undefined ? Number.NaN : Number.parseInt(hex, 16);
    const known = ESCAPES[rest[0] ?? ""];
    let length = 1;
    if (known !== undefined) this.#parts.push(known);
    else if (byte !== null) {
      const value = byte[1] === undefined ? (byte[2] ?? "") : byte[1];
      this.#parts.push(Number.parseInt(value, byte[1] === undefined ? 8 : 16) & 0xff);
      length = byte[0].length;
    } else if (code !== null && isScalar(point)) {
      this.#parts.push(String.fromCodePoint(point));
      length = code[0].length;
    } else {
      this.#danglingBackslash = rest === "";
      this.#parts.push(`\\${rest[0] ?? ""}`);
    }
    this.#at += 1 + length;
  }

  #open(quote: Quote, length: number): void {
    this.#begin();
    this.#quote = quote;
    this.#at += length;
  }

  #close(): void {
    this.#quote = "none";
    this.#at += 1;
  }

  #take(here: string): void {
    this.#begin();
    if ((here === "$" || here === "`") && this.#quote !== "single" && this.#quote !== "dollar") {
      this.#expands = true;
    }
    this.#parts.push(here);
    this.#at += 1;
  }

  #begin(): void {
    this.#from ??= this.#at;
  }

  #endWord(): void {
    if (this.#from === undefined) return;
    const to = Math.min(this.#at, this.#text.length);
    const text = textOf(this.#parts);
    this.#words.push({ text, from: this.#from, to, expands: this.#expands });
    this.#from = undefined;
    this.#parts = [];
    this.#expands = false;
  }
}

function isScalar(point: number): boolean {
  return point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
}

/** Numbers are bytes, which together may make a character. */
function textOf(parts: readonly (string | number)[]): string {
  if (parts.every((part) => typeof part === "string")) return parts.join("");
  const bytes: Buffer[] = [];
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else {
      bytes.push(Buffer.from(text, "utf8"), Buffer.of(part));
      text = "";
    }
  }
  return wordFromBytes(Buffer.concat([...bytes, Buffer.from(text, "utf8")]));
}
