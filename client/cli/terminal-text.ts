// Stored bytes as text that is safe to print: what is stored must not drive the terminal.
//
// Control characters (C0 but newline and tab, DEL, C1) and characters that reorder text become
// escapes. Bytes that are not UTF-8 show as \xNN.

import { isUtf8 } from "node:buffer";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSAFE_IN_A_LINE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const UNSAFE_IN_LINES = new RegExp(UNSAFE_IN_A_LINE, "g");
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** For a place of one line: as it is, or in double quotes with escapes when it must be. */
export function lineText(bytes: Uint8Array): string {
  const text = isUtf8(bytes) ? textOf(bytes) : undefined;
  if (text !== undefined && !UNSAFE_IN_A_LINE.test(text)) return text;
  return `"${map(bytes, (part) => lineEscapes(part.replace(/["\\]/g, "\\$&")))}"`;
}

/** For a value on a terminal: lines stay lines. */
export function blockText(bytes: Uint8Array): string {
  return map(bytes, (part) => part.replace(UNSAFE, escaped));
}

/** For texts of others, such as a server's messages, in a line of ours. */
export function plainLine(text: string): string {
  return lineEscapes(text.replace(/\s*[\r\n]+\s*/g, " ").trim());
}

/**
 * JSON text that is safe on a terminal, and the same JSON: what is unsafe stands inside strings.
 */
export function safeJson(text: string): string {
  return text.replace(UNSAFE_IN_JSON, unicodeEscape);
}

/** The text of the bytes through `render`; what is not UTF-8 becomes \xNN. */
function map(bytes: Uint8Array, render: (part: string) => string): string {
  if (isUtf8(bytes)) return render(textOf(bytes));
  let out = "";
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    if (at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) {
      at += length;
      continue;
    }
    out += render(textOf(bytes.subarray(start, at)));
    out += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, "0")}`;
    at += 1;
    start = at;
  }
  return out + render(textOf(bytes.subarray(start)));
}

/** What a first byte promises. */
function sequenceLength(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

function lineEscapes(text: string): string {
  return text.replace(UNSAFE_IN_LINES, escaped);
}

function escaped(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.charCodeAt(0);
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : unicodeEscape(character);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
