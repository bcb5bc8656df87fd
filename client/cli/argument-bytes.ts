// Bytes in words. Node gives arguments as text, and what was not UTF-8 as U+FFFD: a key would be
// written that nobody typed. Where the system tells the bytes of the command line (Linux), that is
// found out.
//
// Words of a shell line do hold such bytes: each stands as a lone surrogate, U+DC80 to U+DCFF. No
// argument of a process can have those, and the client refuses them, so none goes out unseen.

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";

const REPLACEMENT = "\uFFFD";
const COMMAND_LINE = "/proc/self/cmdline";
const LONE = /[\udc80-\udcff]/u;
const LONE_BASE = 0xdc00;

/** Whether an argument holds bytes that are not UTF-8. */
export function hasForeignBytes(argv: readonly string[]): boolean {
  if (!argv.some((word) => word.includes(REPLACEMENT))) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(COMMAND_LINE));
    return false;
  } catch (error) {
    // Anything else: the system does not tell.
    return error instanceof TypeError;
  }
}

/** The word of these bytes; those that are not UTF-8 as lone surrogates. */
export function wordFromBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString("utf8");
  let word = "";
  for (let at = 0; at < buffer.length; ) {
    const length = [1, 2, 3, 4].find((count) => isWhole(buffer.subarray(at, at + count), count));
    word +=
      length === undefined
        ? String.fromCharCode(LONE_BASE + (buffer[at] ?? 0))
        : buffer.toString("utf8", at, at + length);
    at += length ?? 1;
  }
  return word;
}

/** What a word stands for: itself, or bytes that are no text. */
export function bytesOfWord(word: string): string | Uint8Array {
  if (!LONE.test(word)) return word;
  const parts = Array.from(word, (character) =>
    LONE.test(character)
      ? Buffer.of(character.charCodeAt(0) - LONE_BASE)
      : Buffer.from(character, "utf8"),
  );
  return Buffer.concat(parts);
}

function isWhole(bytes: Buffer, length: number): boolean {
  return bytes.length === length && isUtf8(bytes);
}
