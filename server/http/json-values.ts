// Cuts a body into the JSON objects that follow each other in it, as they arrive.
//
// Only where each ends is found here; what it holds is parsed later. How long and how deep one may
// be, and how many values it may hold, is bounded before that.

import { Transform, type TransformCallback } from "node:stream";
import { KvdError } from "../kv/errors.js";

/** What is parsed recurses: protobuf-es takes 100 messages in each other, each may be in a list. */
const LEVELS_MAX = 200;

/** Each costs far more than its bytes. The largest txn that etcd takes has some thousands. */
const VALUES_MAX = 10_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
const COMMA = 0x2c;
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const OBJECT = 0x7b;

/** Takes bytes, gives the text of each object. Fails with a KvdError. */
export class JsonValues extends Transform {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #length = 0;
  #level = 0;
  /** What was opened, and what follows a comma. */
  #values = 0;
  #inText = false;
  #escaped = false;

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    super({ readableObjectMode: true });
    this.#maxBytes = maxBytes;
  }

  /** A value has begun and not ended. */
  get partial(): boolean {
    return this.#level > 0;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    try {
      this.#take(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.partial ? malformed("the body ends within a JSON object") : null);
  }

  #take(chunk: Buffer): void {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#level > 0) this.#walk(byte);
      else if (SPACE.has(byte)) continue;
      else if (byte !== OBJECT) throw malformed("the body is not a JSON object");
      else {
        start = at;
        this.#level = 1;
        continue;
      }
      if (this.#level > 0) continue;
      this.#keep(chunk.subarray(start, at + 1));
      this.#give();
    }
    if (this.#level > 0) this.#keep(chunk.subarray(start));
  }

  #walk(byte: number): void {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inText = false;
    } else if (byte === QUOTE) this.#inText = true;
    else if (OPEN.has(byte)) this.#open();
    else if (CLOSE.has(byte)) this.#level -= 1;
    else if (byte === COMMA) this.#count();
  }

  #open(): void {
    this.#count();
    this.#level += 1;
    if (this.#level > LEVELS_MAX) throw malformed(`the JSON nests deeper than ${LEVELS_MAX}`);
  }

  #count(): void {
    this.#values += 1;
    if (this.#values > VALUES_MAX) throw malformed(`the JSON has more than ${VALUES_MAX} values`);
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length <= this.#maxBytes) return;
    const text = `the request has more than ${this.#maxBytes} bytes of JSON`;
    throw new KvdError("REQUEST_TOO_LARGE", text);
  }

  #give(): void {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    this.#values = 0;
    try {
      this.push(utf8.decode(bytes));
    } catch {
      throw malformed("the body is not UTF-8");
    }
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function malformed(text: string): KvdError {
  return new KvdError("MALFORMED", text);
}
