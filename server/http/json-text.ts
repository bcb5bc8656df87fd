// JSON.parse() for messages with 64-bit numbers: it would round the long ones, so they become
// texts first, which mean the same in the JSON of a message.

import { type JsonValue, ScalarType } from "@bufbuild/protobuf";

/** Types of 64-bit numbers. */
export const LONGS: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/** Numbers of fewer digits are exact. */
const LONG_DIGITS = 16;

/** @throws SyntaxError. */
export function parseJson(text: string): JsonValue {
  return JSON.parse(quoteLongIntegers(text)) as JsonValue;
}

function quoteLongIntegers(text: string): string {
  let quoted = "";
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfText(text, at);
      continue;
    }
    if (!isOfNumber(character)) {
      at += 1;
      continue;
    }
    const start = at;
    while (isOfNumber(text.charCodeAt(at))) at += 1;
    const number = text.slice(start, at);
    if (at - start < LONG_DIGITS || !INTEGER.test(number)) continue;
    quoted += `${text.slice(copied, start)}"${number}"`;
    copied = at;
  }
  return quoted + text.slice(copied);
}

const QUOTE = 0x22;
const INTEGER = /^-?[1-9]\d*$/;

/** Digits, signs, points, exponents; whatever else has an E in it is no integer. */
function isOfNumber(character: number): boolean {
  return (
    (character >= 0x30 && character <= 0x39) || // 0 to 9
    character === 0x2b || // +
    character === 0x2d || // -
    character === 0x2e || // .
    character === 0x45 || // E
    character === 0x65 // e
  );
}

/** Behind the quote that ends the text that begins at `start`. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at);
    if (at === -1) return text.length;
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
}
