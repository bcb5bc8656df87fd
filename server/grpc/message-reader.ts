// Cuts the body of a call into its messages: five bytes, of which the first says whether the
// message is compressed and the others how long it is, and then the message.

import { gunzipSync, inflateSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { CallError } from "./call-error.js";

const PREFIX_BYTES = 5;

/** What we read compressed messages with, and say so in each answer. */
export const ENCODINGS = ["identity", "deflate", "gzip"] as const;

export interface MessageLimits {
  /** Of a message, as it is sent and decompressed. */
  readonly maxBytes: number;
  /** The request's grpc-encoding. */
  readonly encoding: string | undefined;
}

/** Bytes that are put together grow by their double, from here on. */
const ROOM_MIN_BYTES = 4096;

const NOTHING = Buffer.alloc(0);

export class MessageReader {
  readonly #limits: MessageLimits;
  /** What has come: a view of what was received, or, of more than one, a buffer of our own. */
  #bytes: Buffer = NOTHING;
  #isOurs = false;
  /** Where in it what was not given out begins, and ends. */
  #from = 0;
  #to = 0;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /** All that came was given out. */
  get isEmpty(): boolean {
    return this.#from === this.#to;
  }

  /** What has come: kept as it is, or copied behind what is there. */
  push(bytes: Buffer): void {
    if (this.isEmpty) {
      this.#bytes = bytes;
      this.#isOurs = false;
      this.#from = 0;
      this.#to = bytes.length;
      return;
    }
    const left = this.#to - this.#from;
    if (!this.#isOurs || this.#to + bytes.length > this.#bytes.length) {
      // Messages that were given out are views of the old one, which stays as it is.
      const room = Buffer.allocUnsafe(Math.max(2 * (left + bytes.length), ROOM_MIN_BYTES));
      this.#bytes.copy(room, 0, this.#from, this.#to);
      this.#bytes = room;
      this.#isOurs = true;
      this.#from = 0;
      this.#to = left;
    }
    bytes.copy(this.#bytes, this.#to);
    this.#to += bytes.length;
  }

  /** The next message that is whole, a view; undefined when there is none. @throws CallError */
  next(): Buffer | undefined {
    if (this.#to - this.#from < PREFIX_BYTES) return undefined;
    const length = this.#bytes.readUInt32BE(this.#from + 1);
    const { maxBytes } = this.#limits;
    if (length > maxBytes) throw tooLarge(length, maxBytes);
    const end = this.#from + PREFIX_BYTES + length;
    if (end > this.#to) return undefined;
    const frame = this.#bytes.subarray(this.#from, end);
    this.#from = end;
    if (this.isEmpty) this.#bytes = NOTHING;
    return this.#message(frame);
  }

  #message(frame: Buffer): Buffer {
    const message = frame.subarray(PREFIX_BYTES);
    if (frame[0] === 0) return message;
    if (frame[0] !== 1) throw malformed("a message begins with a byte that is neither 0 nor 1");
    return this.#decompressed(message);
  }

  #decompressed(message: Buffer): Buffer {
    const { encoding, maxBytes } = this.#limits;
    const options = { maxOutputLength: maxBytes };
    try {
      if (encoding === "gzip") return gunzipSync(message, options);
      if (encoding === "deflate") return inflateSync(message, options);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(undefined, maxBytes);
      throw malformed(`a message is not ${encoding}`);
    }
    throw malformed("a message is compressed, and the call names no grpc-encoding");
  }
}

function tooLarge(length: number | undefined, maxBytes: number): CallError {
  const which = length === undefined ? "a message that is decompressed" : `${length} bytes`;
  const details = `Received message larger than max (${which} vs ${maxBytes})`;
  return new CallError(status.RESOURCE_EXHAUSTED, details);
}

function malformed(details: string): CallError {
  return new CallError(status.INTERNAL, details);
}
