// Blocks of header fields, written piece by piece as RFC 7541 says: what a good encoder would
// write, and what none would. Shares nothing with the server's encoder.

import { huffmanBytes } from "./huffman-codes.js";

/** Section 5.1: `pattern` are the bits of the first byte that stand before the number. */
export function integer(pattern: number, prefixBits: number, value: number): Buffer {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) return Buffer.from([pattern + value]);
  const bytes = [pattern + limit];
  let left = value - limit;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, left]);
}

export function plainText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(0, 7, bytes.length), bytes]);
}

export function huffmanText(text: string): Buffer {
  return rawHuffman(huffmanBytes(Buffer.from(text, "latin1")));
}

/** Bytes of the test's own, said to be Huffman's code. */
export function rawHuffman(bytes: Uint8Array): Buffer {
  return Buffer.concat([integer(0x80, 7, bytes.length), bytes]);
}

export function indexed(index: number): Buffer {
  return integer(0x80, 7, index);
}

export function tableSize(bytes: number): Buffer {
  return integer(0x20, 5, bytes);
}

export type Keeping = "kept" | "not kept" | "never kept";

const LITERALS = {
  kept: [0x40, 6],
  "not kept": [0x00, 4],
  "never kept": [0x10, 4],
} as const;

export interface LiteralField {
  /** A text, or the index of a field of that name. */
  readonly name: string | number;
  readonly value: string;
  readonly keeping?: Keeping;
  readonly isHuffman?: boolean;
}

export function literal({ name, value, keeping, isHuffman }: LiteralField): Buffer {
  const [pattern, bits] = LITERALS[keeping ?? "not kept"];
  const text = isHuffman === true ? huffmanText : plainText;
  if (typeof name === "number") return Buffer.concat([integer(pattern, bits, name), text(value)]);
  return Buffer.concat([Buffer.from([pattern]), text(name), text(value)]);
}

/** Literals that no table keeps. */
export function plainBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literal({ name, value })));
}
