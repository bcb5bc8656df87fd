// Reads header blocks: RFC 7541. One decoder for all blocks of a connection, in their order,
// because each may use what earlier ones have put into the table.
//
// A peer that repeats itself sends indexes, and gets the very same fields again: nothing is made.

import { decodeHuffman } from "./huffman.js";
import { type HeaderField, STATIC_TABLE } from "./static-table.js";

/** What an entry of the table counts beside its texts (section 4.1). */
const ENTRY_BYTES = 32;

/** The block is none: the table is of no use any more, so the connection has to end. */
export class HpackError extends Error {}

export interface HpackLimits {
  /** Of the dynamic table, as the peer was told in SETTINGS_HEADER_TABLE_SIZE. */
  readonly tableMaxBytes: number;
  /** Of a list of fields, each counted as an entry is. What is beyond is left out. */
  readonly listMaxBytes: number;
}

export interface DecodedList {
  readonly fields: HeaderField[];
  /** Fields were left out, because the list was too large. */
  readonly isCut: boolean;
}

export class HpackDecoder {
  readonly #limits: HpackLimits;
  /** The newest last. */
  readonly #table: HeaderField[] = [];
  #tableBytes = 0;
  #tableMaxBytes: number;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(limits: HpackLimits) {
    this.#limits = limits;
    this.#tableMaxBytes = limits.tableMaxBytes;
  }

  /** @throws HpackError */
  decode(block: Uint8Array): DecodedList {
    this.#block = block;
    this.#at = 0;
    const fields: HeaderField[] = [];
    let bytes = 0;
    let isCut = false;
    let mayResize = true;
    while (this.#at < block.length) {
      const first = block[this.#at] as number;
      if ((first & 0xe0) === 0x20) {
        if (!mayResize) throw new HpackError("a new size of the table inside a block");
        this.#resize(this.#integer(5));
        continue;
      }
      mayResize = false;
      const field = this.#field(first);
      bytes += sizeOf(field);
      if (bytes > this.#limits.listMaxBytes) isCut = true;
      else fields.push(field);
    }
    return { fields, isCut };
  }

  #field(first: number): HeaderField {
    if ((first & 0x80) !== 0) return this.#indexed(this.#integer(7));
    // With indexing; else without, or never.
    const isKept = (first & 0x40) !== 0;
    const index = this.#integer(isKept ? 6 : 4);
    const name = index === 0 ? this.#text() : this.#indexed(index).name;
    const field = { name, value: this.#text(), isSound: undefined };
    if (isKept) this.#keep(field);
    return field;
  }

  #indexed(index: number): HeaderField {
    const field =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#table[this.#table.length - (index - STATIC_TABLE.length)];
    if (field === undefined) throw new HpackError(`no field has the index ${index}`);
    return field;
  }

  /** Section 5.1; `bits` of it are in the first byte. */
  #integer(bits: number): number {
    const max = (1 << bits) - 1;
    let value = (this.#block[this.#at] as number) & max;
    this.#at += 1;
    if (value < max) return value;
    for (let shift = 0; shift <= INTEGER_SHIFT_MAX; shift += 7) {
      const byte = this.#block[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError("an integer that does not end, or is too large");
  }

  #text(): string {
    const first = this.#block[this.#at];
    if (first === undefined) throw new HpackError("a field that does not end");
    const length = this.#integer(7);
    const from = this.#at;
    const to = from + length;
    if (to > this.#block.length) throw new HpackError("a text that does not end");
    this.#at = to;
    if (first < 0x80) return latin1(this.#block, from, to);
    const text = decodeHuffman(this.#block, from, to);
    if (text === undefined) throw new HpackError("a text that is no Huffman code");
    return text;
  }

  #keep(field: HeaderField): void {
    const bytes = sizeOf(field);
    this.#shrinkTo(this.#tableMaxBytes - bytes);
    // One that is too large empties the table, and is not an error (section 4.4).
    if (bytes > this.#tableMaxBytes) return;
    this.#table.push(field);
    this.#tableBytes += bytes;
  }

  #resize(maxBytes: number): void {
    if (maxBytes > this.#limits.tableMaxBytes) {
      throw new HpackError(`a table of ${maxBytes} bytes, above ${this.#limits.tableMaxBytes}`);
    }
    this.#tableMaxBytes = maxBytes;
    this.#shrinkTo(maxBytes);
  }

  #shrinkTo(maxBytes: number): void {
    while (this.#tableBytes > maxBytes) {
      const oldest = this.#table.shift();
      if (oldest === undefined) return;
      this.#tableBytes -= sizeOf(oldest);
    }
  }
}

/** Four more bytes than the first at most: 28 bits, far above every size that is taken. */
const INTEGER_SHIFT_MAX = 21;

function sizeOf({ name, value }: HeaderField): number {
  return name.length + value.length + ENTRY_BYTES;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}
