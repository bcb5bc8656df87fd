// Reads what a ByteWriter wrote, and believes none of it: whatever reaches beyond the end, or is no
// number that could have been written, throws.

export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#buffer.length;
  }

  byte(): number {
    return this.#skip(1)[0] as number;
  }

  /** @throws RangeError above 2^53 - 1, or longer than it has to be. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("a number above 2^53 - 1");
      if (byte < 0x80) {
        if (byte === 0 && factor > 1) throw new RangeError("a number with idle bytes");
        return value;
      }
      factor *= 0x80;
    }
  }

  int64(): bigint {
    return this.#skip(8).readBigInt64BE();
  }

  uint32(): number {
    return this.#skip(4).readUInt32BE();
  }

  /** A view of as many bytes. */
  raw(length: number): Buffer {
    return this.#skip(length);
  }

  /** A view of bytes behind their length. */
  bytes(): Buffer {
    return this.#skip(this.varint());
  }

  #skip(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#buffer.length) throw new RangeError(`ends in the middle, ${end} bytes in`);
    const bytes = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
