// Bytes that are written at any place, cut and lengthened, as those of a file are.

export class GrowingBytes {
  #bytes: Buffer;
  #length: number;

  constructor(bytes: Uint8Array = Buffer.alloc(0)) {
    this.#bytes = Buffer.from(bytes);
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** A view: good until the next change. */
  view(start = 0, end = this.#length): Buffer {
    return this.#bytes.subarray(start, Math.min(end, this.#length));
  }

  write(bytes: Uint8Array, at: number): void {
    if (at + bytes.length > this.#length) this.resize(at + bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Cuts it, or adds zeros. */
  resize(length: number): void {
    if (length > this.#bytes.length) {
      const bytes = Buffer.alloc(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(bytes, 0, 0, this.#length);
      this.#bytes = bytes;
    }
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }
}
