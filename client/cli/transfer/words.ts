// Rows as words: a word is a key, the next one its value, with any white space between. Bytes are
// taken as they are; what is empty or has white space in it cannot be written so.

import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import type { Row } from "../json-forms.js";
import { lineText } from "../terminal-text.js";
import { broken, ROW_MAX_BYTES, type RowItem } from "./row-item.js";

const NEWLINE = 0x0a;

/** Space, tab, newline, vertical tab, form feed, carriage return. */
function isWhite(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

interface Word {
  readonly bytes: Uint8Array;
  readonly number: number;
  readonly line: number;
}

export async function* rowsFromWords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<RowItem> {
  let key: Word | undefined;
  for await (const word of wordsOf(chunks)) {
    if (word.bytes.length > ROW_MAX_BYTES) {
      // Whether a key or a value, its partner would pair with the wrong one.
      yield broken(placeOf(word), `the word is longer than ${ROW_MAX_BYTES / 1024 / 1024} MiB`);
      return;
    }
    if (key === undefined) {
      key = word;
      continue;
    }
    const row: Row = { key: key.bytes, value: word.bytes, ttlMs: undefined };
    yield { kind: "row", row, place: placeOf(key) };
    key = undefined;
  }
  if (key === undefined) return;
  const why = `the key ${lineText(key.bytes)} has no value: the number of words is odd`;
  yield broken(placeOf(key), why);
}

/** @throws Failure for what words cannot hold. */
export function wordLine({ key, value }: Row): Buffer {
  requireWord(key, "the key", key);
  requireWord(value, "the value", key);
  return Buffer.concat([key, Buffer.from(" "), value, Buffer.from("\n")]);
}

function requireWord(bytes: Uint8Array, what: string, key: Uint8Array): void {
  if (bytes.length > 0 && !bytes.some(isWhite)) return;
  const flaw = bytes.length === 0 ? "is empty" : "has white space";
  const subject = what === "the key" ? lineText(key) : `${what} of ${lineText(key)}`;
  const text = `words cannot hold ${subject}, which ${flaw}; --format jsonl holds everything`;
  throw new Failure(EXIT.invalid, text);
}

function placeOf({ number, line }: Word): string {
  return `word ${number} (line ${line})`;
}

async function* wordsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Word> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 0;
  let line = 1;
  const word = (): Word => {
    const bytes = Buffer.concat(parts);
    parts = [];
    length = 0;
    number += 1;
    return { bytes, number, line };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (!isWhite(byte)) continue;
      if (at > start) parts.push(chunk.subarray(start, at));
      if (parts.length > 0) yield word();
      if (byte === NEWLINE) line += 1;
      start = at + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
    length += chunk.length - start;
    // It is given as it is so far; whoever takes it sees that it is too long.
    if (length > ROW_MAX_BYTES) yield word();
  }
  if (parts.length > 0) yield word();
}
