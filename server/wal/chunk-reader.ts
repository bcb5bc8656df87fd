// Takes as many bytes as are wanted from chunks of any size. What is taken is never more than what
// came, so a length that lies costs no memory.

export class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #onTaken: (bytes: Uint8Array) => void;
  #buffered: Buffer[] = [];
  #bufferedBytes = 0;
  #offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, onTaken: (bytes: Uint8Array) => void) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#onTaken = onTaken;
  }

  /** How many bytes have been taken. */
  get offset(): number {
    return this.#offset;
  }

  /** @throws RangeError when there are not as many any more. */
  async take(length: number): Promise<Buffer> {
    const bytes = await this.takeUnhashed(length);
    this.#onTaken(bytes);
    return bytes;
  }

  /** The same, without a word to `onTaken`. */
  async takeUnhashed(length: number): Promise<Buffer> {
    while (this.#bufferedBytes < length) {
      if (!(await this.#fill())) throw new RangeError("it ends too early");
    }
    const all = this.#buffered.length === 1 ? this.#buffered[0] : Buffer.concat(this.#buffered);
    const bytes = all ?? Buffer.alloc(0);
    this.#buffered = [bytes.subarray(length)];
    this.#bufferedBytes -= length;
    this.#offset += length;
    return bytes.subarray(0, length);
  }

  /** Whether all has been taken. */
  async ended(): Promise<boolean> {
    while (this.#bufferedBytes === 0) if (!(await this.#fill())) return true;
    return false;
  }

  async #fill(): Promise<boolean> {
    const step = await this.#chunks.next();
    if (step.done) return false;
    const { buffer, byteOffset, byteLength } = step.value;
    this.#buffered.push(Buffer.from(buffer, byteOffset, byteLength));
    this.#bufferedBytes += byteLength;
    return true;
  }
}
