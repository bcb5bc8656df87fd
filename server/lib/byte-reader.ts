// Reads what a ByteWriter wrote, and believes none of it: whatever reaches beyond the end, or is no
// number that could have been written, throws.

import type { ViewedBytes } from "./viewed-bytes.js";

export class ByteReader implements ViewedBytes {
  readonly bytes: Buffer;
  readonly view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes;
    this.bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.view = new DataView(buffer, byteOffset, byteLength);
  }

  get done(): boolean {
    return this.#at === this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.#at];
    if (byte === undefined) throw cut(this.#at + 1);
    this.#at += 1;
    return byte;
  }

  /** @throws RangeError above 2^53 - 1, or longer than it has to be. */
  varint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let factor = 0x80; ; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      // Empty bytes without end would make the factor infinite, and no number of the value.
      if (value > Number.MAX_SAFE_INTEGER || factor > Number.MAX_SAFE_INTEGER) {
        throw new RangeError("a number above 2^53 - 1");
      }
      if (byte >= 0x80) continue;
      if (byte === 0) throw new RangeError("a number with idle bytes");
      return value;
    }
  }

  int64(): bigint {
    return this.view.getBigInt64(this.skip(8));
  }

  uint32(): number {
    return this.view.getUint32(this.skip(4));
  }

  /** A view of as many bytes. */
  raw(length: number): Buffer {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Goes on behind as many bytes; where they begin. */
  skip(length: number): number {
    const start = this.#at;
    const end = start + length;
    if (end > this.bytes.length) throw cut(end);
    this.#at = end;
    return start;
  }
}

function cut(end: number): RangeError {
  return new RangeError(`ends in the middle, ${end} bytes in`);
}
