// Finds the messages in the DATA of a gRPC stream: five bytes of head, then the message, cut into
// chunks anywhere.
//
// Where nobody wants the bytes, messages are counted and skipped: that is what lets one core ask
// for more than another can answer.

const HEAD_BYTES = 5;

export class MessageSplitter {
  readonly #onMessage: ((message: Buffer) => void) | undefined;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headFilled = 0;
  #missing = 0;
  #parts: Buffer[] = [];
  messages = 0;

  /** Without `onMessage` they are only counted. A message given out is valid during the call. */
  constructor(onMessage?: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headFilled < HEAD_BYTES) {
        const taken = Math.min(HEAD_BYTES - this.#headFilled, chunk.length - at);
        chunk.copy(this.#head, this.#headFilled, at, at + taken);
        this.#headFilled += taken;
        at += taken;
        if (this.#headFilled < HEAD_BYTES) return;
        this.#missing = this.#head.readUInt32BE(1);
      }
      const taken = Math.min(this.#missing, chunk.length - at);
      if (this.#onMessage !== undefined) this.#parts.push(chunk.subarray(at, at + taken));
      this.#missing -= taken;
      at += taken;
      if (this.#missing === 0) this.#end();
    }
  }

  #end(): void {
    this.#headFilled = 0;
    this.messages += 1;
    if (this.#onMessage === undefined) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#onMessage(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
  }
}

/** A message with the head that gRPC gives it. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
