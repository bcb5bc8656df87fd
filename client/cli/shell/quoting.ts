// Text as it is typed: the way back from words.ts, in any quote, for a POSIX shell with `$'…'`.
//
// What is unsafe on a terminal, newlines too, is written as an escape, so the result is one line.

import type { Quote } from "./words.js";

const PLAIN = /[A-Za-z0-9_/:=@%+.,-]/;
/** Control characters, what reorders text, line separators, and bytes that are not UTF-8. */
const UNSAFE = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\ufeff]/u;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A whole word, in quotes when it needs some. */
export function quotedWord(text: string): string {
  if (UNSAFE.test(text)) return `$'${continuedWord(text, "dollar")}'`;
  const plain = text !== "" && continuedWord(text, "none") === text;
  return plain ? text : `'${continuedWord(text, "single")}'`;
}

/** What goes on with `text` in a quote that is open, and leaves it open. */
export function continuedWord(text: string, quote: Quote): string {
  let raw = "";
  let escapes = "";
  const flush = () => {
    if (escapes !== "") raw += between(quote, `$'${escapes}'`);
    escapes = "";
  };
  for (const character of text) {
    if (UNSAFE.test(character)) {
      if (quote === "dollar") raw += escapeOf(character);
      else escapes += escapeOf(character);
      continue;
    }
    flush();
    raw += inQuote(character, quote);
  }
  flush();
  return raw;
}

/** What closes the quote. */
export function closing(quote: Quote): string {
  if (quote === "none") return "";
  return quote === "double" ? '"' : "'";
}

function inQuote(character: string, quote: Quote): string {
  switch (quote) {
    case "none":
      return PLAIN.test(character) || character > "\u007f" ? character : `\\${character}`;
    case "single":
      return character === "'" ? "'\\''" : character;
    case "double":
      // A backslash before ! would stay, and ! alone may be taken for history.
      if (character === "!") return '"\\!"';
      return '$`"\\'.includes(character) ? `\\${character}` : character;
    case "dollar":
      return character === "'" || character === "\\" ? `\\${character}` : character;
  }
}

/** Outside of the quote for a moment. */
function between(quote: Quote, raw: string): string {
  const mark = closing(quote);
  return `${mark}${raw}${mark}`;
}

function escapeOf(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  const isByte = code < 0x80 || (code >= 0xdc80 && code <= 0xdcff);
  if (isByte) return `\\x${(code & 0xff).toString(16).padStart(2, "0")}`;
  return `\\u${code.toString(16).padStart(4, "0")}`;
}
