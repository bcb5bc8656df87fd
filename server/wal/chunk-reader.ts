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
    const bytes = await this.takeUpTo(length);
    if (bytes.length < length) throw new RangeError("it ends too early");
    this.#onTaken(bytes);
    return bytes;
  }

  /** As many as there are, at most, without a word to `onTaken`. */
  async takeUpTo(length: number): Promise<Buffer> {
    while (this.#bufferedBytes < length && (await this.#fill()));
    const all = this.#buffered.length === 1 ? this.#buffered[0] : Buffer.concat(this.#buffered);
    const bytes = all ?? Buffer.alloc(0);
    const taken = bytes.subarray(0, length);
    this.#buffered = [bytes.subarray(taken.length)];
    this.#bufferedBytes -= taken.length;
    this.#offset += taken.length;
    return taken;
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
