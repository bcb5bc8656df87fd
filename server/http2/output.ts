// What is on its way to a socket: frames of a turn of the event loop leave in one piece.
//
// Small ones are written into one buffer, one behind the other; large payloads go as they are. When
// the system has taken all at once, which is the rule, the buffer is used again.

import type { Socket } from "node:net";
import { DEFAULT, FRAME, FRAME_HEAD_BYTES } from "./protocol.js";

/** Of each connection: it is what an idle one has. */
const SLAB_BYTES = 16 * 1024;
/** From here on a payload is not copied. */
const LARGE_BYTES = 8 * 1024;
/** What every peer takes in one frame. */
const JOINED_MAX_BYTES = DEFAULT.frameMaxBytes;

export class Output {
  readonly #socket: Socket;
  #slab: Buffer;
  /** Where what has not been handed over begins, and ends. */
  #from = 0;
  #at = 0;
  /** What comes before that. */
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #taken: (() => void)[] = [];
  #isScheduled = false;
  /** The last frame of data: where it begins and ends, and whose it is. */
  #dataAt = 0;
  #dataEnd = -1;
  #dataStreamId = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  /** Bytes that the system has not taken. */
  get bytes(): number {
    return this.#chunkBytes + this.#at - this.#from + this.#socket.writableLength;
  }

  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.#head(type, flags, streamId, payload.length);
    if (payload.length >= LARGE_BYTES) {
      this.#cut();
      this.#push(Buffer.from(payload.buffer, payload.byteOffset, payload.length));
      return;
    }
    this.#need(payload.length);
    this.#slab.set(payload, this.#at);
    this.#at += payload.length;
  }

  /** A frame of data; it continues the one before when that is of the same stream. */
  data(streamId: number, bytes: Uint8Array): void {
    const { length } = bytes;
    if (length >= LARGE_BYTES) {
      this.frame(FRAME.data, 0, streamId, bytes);
      return;
    }
    const whole = this.#at - this.#dataAt - FRAME_HEAD_BYTES + length;
    const continues =
      this.#dataStreamId === streamId &&
      this.#dataEnd === this.#at &&
      whole <= JOINED_MAX_BYTES &&
      this.#at + length <= this.#slab.length;
    if (continues) {
      this.#slab.writeUIntBE(whole, this.#dataAt, 3);
      this.#slab.set(bytes, this.#at);
      this.#at += length;
    } else {
      this.#need(FRAME_HEAD_BYTES + length);
      this.#dataAt = this.#at;
      this.#dataStreamId = streamId;
      this.frame(FRAME.data, 0, streamId, bytes);
    }
    this.#dataEnd = this.#at;
  }

  /** Calls back when the system has taken what was written until now. */
  whenTaken(taken: () => void): void {
    this.#taken.push(taken);
  }

  /** Hands over what there is, at the end of this turn. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.#flushScheduled);
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  /**
   * While the socket is full frames are put together here, until it drains: of many small pieces
   * each would take ten times of what it says.
   */
  flush(): void {
    if (!this.#socket.writableNeedDrain) this.handOver();
  }

  /** The same, also to a socket that is full. */
  handOver(): void {
    this.#cut();
    const chunks = this.#chunks;
    const taken = this.#taken;
    if (chunks.length > 0) {
      this.#chunks = [];
      this.#chunkBytes = 0;
      if (taken.length > 0) this.#taken = [];
      this.#write(chunks, taken);
      // All was taken: nobody looks at the slab any more.
      if (this.#socket.writableLength === 0) {
        this.#from = 0;
        this.#at = 0;
      }
    }
  }

  #write(chunks: readonly Buffer[], taken: readonly (() => void)[]): void {
    const socket = this.#socket;
    const last = chunks.length - 1;
    if (last > 0) socket.cork();
    for (let index = 0; index < last; index += 1) socket.write(chunks[index] as Buffer);
    if (taken.length === 0) socket.write(chunks[last] as Buffer);
    else {
      socket.write(chunks[last] as Buffer, () => {
        for (const each of taken) each();
      });
    }
    if (last > 0) socket.uncork();
  }

  #head(type: number, flags: number, streamId: number, length: number): void {
    this.#need(FRAME_HEAD_BYTES);
    const slab = this.#slab;
    const at = this.#at;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = streamId >>> 24;
    slab[at + 6] = streamId >>> 16;
    slab[at + 7] = streamId >>> 8;
    slab[at + 8] = streamId;
    this.#at = at + FRAME_HEAD_BYTES;
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return;
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#from = 0;
    this.#at = 0;
  }

  #cut(): void {
    this.#dataEnd = -1;
    if (this.#at === this.#from) return;
    this.#push(this.#slab.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  #push(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
  }
}
