// Writes numbers and bytes into a buffer that grows; ByteReader reads them.

const VARINT_MAX_BYTES = 8;

/** To copy as few byte by byte costs less than a view of them. */
const SHORT_MAX_BYTES = 64;

export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  /** 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.#reserve(VARINT_MAX_BYTES);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length] = rest;
    this.#length += 1;
  }

  /** Eight bytes, big-endian, signed. */
  int64(value: bigint): void {
    this.#reserve(8);
    if (value === 0n) {
      this.#buffer.fill(0, this.#length, this.#length + 8);
      this.#length += 8;
      return;
    }
    this.#buffer.writeBigInt64BE(value, this.#length);
    this.#length += 8;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeUInt32BE(value, this.#length);
    this.#length += 4;
  }

  raw(bytes: Uint8Array): void {
    this.part(bytes, 0, bytes.length);
  }

  /** bytes[start, end). */
  part(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    if (length > SHORT_MAX_BYTES) {
      this.#buffer.set(bytes.subarray(start, end), this.#length);
    } else {
      const to = this.#buffer;
      const shift = this.#length - start;
      for (let at = start; at < end; at += 1) to[at + shift] = bytes[at] as number;
    }
    this.#length += length;
  }

  /** The length as a varint, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** What was written, with memory of its own; the writer is empty again. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
