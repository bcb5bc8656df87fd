// Writes header blocks: RFC 7541. What is in every answer is kept in the peer's table, and takes
// one byte from its second time on; all else is written out, and kept nowhere.

import { DEFAULT } from "./protocol.js";
import { type HeaderField, STATIC_TABLE } from "./static-table.js";

const STATIC_INDEXES = new Map<string, number>();
const STATIC_NAMES = new Map<string, number>();
for (const [index, field] of STATIC_TABLE.entries()) {
  STATIC_INDEXES.set(textOf(field), index + 1);
  if (!STATIC_NAMES.has(field.name)) STATIC_NAMES.set(field.name, index + 1);
}

/** "The table has no room any more": its new size is 0. */
const EMPTY_TABLE = 0x20;

export class HpackEncoder {
  readonly #usual: ReadonlySet<readonly HeaderField[]>;
  /** The fields to keep, and when each was put into the table: 0 for the first of all. */
  readonly #places = new Map<HeaderField, number | undefined>();
  /** Blocks of usual lists that never change any more. */
  readonly #blocks = new Map<readonly HeaderField[], Buffer>();
  #kept = 0;
  #keeps = true;
  #mustEmpty = false;

  /**
   * `usual` are the lists whose fields are kept: few and short ones, so that the table which every
   * peer has at first has room for all.
   */
  constructor(usual: readonly (readonly HeaderField[])[]) {
    this.#usual = new Set(usual);
    for (const field of usual.flat()) {
      if (!STATIC_INDEXES.has(textOf(field))) this.#places.set(field, undefined);
    }
  }

  /**
   * The peer has said how large a table it has: SETTINGS_HEADER_TABLE_SIZE. One that is smaller
   * than every peer has at first is not used at all.
   */
  resize(tableBytes: number): void {
    if (tableBytes >= DEFAULT.headerTableBytes || !this.#keeps) return;
    this.#keeps = false;
    this.#mustEmpty = true;
    this.#blocks.clear();
  }

  /** Must be sent, in the order of the calls. */
  encode(fields: readonly HeaderField[]): Buffer {
    const known = this.#blocks.get(fields);
    if (known !== undefined) return known;
    const isSettled = !this.#mustEmpty && (!this.#keeps || this.#kept === this.#places.size);
    const parts: Buffer[] = this.#mustEmpty ? [Buffer.of(EMPTY_TABLE)] : [];
    this.#mustEmpty = false;
    for (const field of fields) parts.push(this.#field(field));
    const block = Buffer.concat(parts);
    if (isSettled && this.#usual.has(fields)) this.#blocks.set(fields, block);
    return block;
  }

  #field(field: HeaderField): Buffer {
    const known = STATIC_INDEXES.get(textOf(field));
    if (known !== undefined) return integer(0x80, 7, known);
    if (!this.#keeps || !this.#places.has(field)) return literal(0x00, 4, field);
    const place = this.#places.get(field);
    if (place !== undefined) return integer(0x80, 7, STATIC_TABLE.length + this.#kept - place);
    this.#places.set(field, this.#kept);
    this.#kept += 1;
    return literal(0x40, 6, field);
  }
}

function literal(pattern: number, bits: number, { name, value }: HeaderField): Buffer {
  const index = STATIC_NAMES.get(name) ?? 0;
  const parts = [integer(pattern, bits, index)];
  if (index === 0) parts.push(text(name));
  parts.push(text(value));
  return Buffer.concat(parts);
}

function textOf({ name, value }: HeaderField): string {
  return `${name}\0${value}`;
}

/** As it is: to shorten it by the Huffman code costs more than it saves. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([integer(0x00, 7, bytes.length), bytes]);
}

/** Section 5.1. */
function integer(pattern: number, bits: number, value: number): Buffer {
  const max = (1 << bits) - 1;
  if (value < max) return Buffer.of(pattern | value);
  const bytes = [pattern | max];
  let rest = value - max;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
