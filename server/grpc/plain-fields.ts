// Requests that are plain, read in one pass: most gets and puts have nothing but a key and a value.
//
// It is there for speed alone (bench: get, put). What it does not know, or does not like, it leaves
// to the generated decoder and its checks, so it needs no errors of its own.

import { isUtf8 } from "node:buffer";

/** Bytes by the numbers of their fields; 0 is not used. */
export type PlainFields = readonly (Uint8Array | undefined)[];

const FIELDS_MAX = 3;
const LENGTH_DELIMITED = 2;

/**
 * The fields of a message that has bytes or texts in fields 1 to 3 and nothing else, each at most
 * once and in order. Undefined: it is another message, or none. They are views of its bytes.
 */
export function plainFields(bytes: Uint8Array): PlainFields | undefined {
  const fields: (Uint8Array | undefined)[] = [undefined, undefined, undefined, undefined];
  const end = bytes.length;
  let at = 0;
  let last = 0;
  while (at < end) {
    const tag = bytes[at] as number;
    const number = tag >> 3;
    if ((tag & 7) !== LENGTH_DELIMITED || number <= last || number > FIELDS_MAX) return undefined;
    let length = bytes[at + 1] as number;
    at += 2;
    if (length >= 0x80) {
      // Beyond two bytes the length is that of a message for which a pass more does not matter.
      const high = bytes[at] as number;
      if (!(high < 0x80)) return undefined;
      length = (length & 0x7f) | (high << 7);
      at += 1;
    }
    // With bytes missing at the end, length is not a number, or reaches beyond it.
    if (!(at + length <= end)) return undefined;
    fields[number] = bytes.subarray(at, at + length);
    at += length;
    last = number;
  }
  return fields;
}

/** Whether the bytes are a text; most keys are ASCII and short. */
export function isText(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index += 1) {
    if ((bytes[index] as number) >= 0x80) return isUtf8(bytes);
  }
  return true;
}
