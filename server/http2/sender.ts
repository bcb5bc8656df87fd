// Sends the frames of a connection. Data leaves as far as the peer's windows and the socket let it;
// streams that have more take turns, a frame each.

import type { Socket } from "node:net";
import { mustBe } from "./connection-error.js";
import { HpackEncoder } from "./hpack-encoder.js";
import { Output } from "./output.js";
import { DEFAULT, ERROR, FLAG, FRAME, WINDOW_MAX_BYTES } from "./protocol.js";
import type { HeaderField } from "./static-table.js";
import type { Stream } from "./stream.js";

/** Of a frame at most, however much the peer takes: others have their turn. */
const FRAME_MAX_BYTES = 64 * 1024;
/** As long as the socket holds so much, streams keep their data. */
const BACKLOG_BYTES = 256 * 1024;

export class Sender {
  readonly #output: Output;
  readonly #encoder: HpackEncoder;
  /** Streams that have data to send and may not. */
  readonly #waiting = new Set<Stream>();
  #isClosed = false;
  #window: number = DEFAULT.windowBytes;
  #streamWindow: number = DEFAULT.windowBytes;
  #frameMaxBytes: number = DEFAULT.frameMaxBytes;

  /** `usualFields` are those of most answers. */
  constructor(socket: Socket, usualFields: readonly (readonly HeaderField[])[]) {
    this.#output = new Output(socket);
    this.#encoder = new HpackEncoder(usualFields);
    socket.on("drain", () => {
      this.flush();
      this.pumpAll();
    });
  }

  /** Bytes that the system has not taken. */
  get bytes(): number {
    return this.#output.bytes;
  }

  /** What the peer lets us send, all streams together. */
  get window(): number {
    return this.#window;
  }

  /** The same for a stream that begins. */
  get streamWindow(): number {
    return this.#streamWindow;
  }

  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    // The socket is ended: one more write would be an error, and destroy it with what it holds.
    if (this.#isClosed) return;
    this.#output.frame(type, flags, streamId, payload);
    this.#output.schedule();
  }

  /** A head, or what ends an answer. */
  fields(streamId: number, fields: readonly HeaderField[], isLast: boolean): void {
    const block = this.#encoder.encode(fields);
    const flags = isLast ? FLAG.endStream : 0;
    const max = this.#frameMaxBytes;
    if (block.length <= max) {
      this.frame(FRAME.headers, flags | FLAG.endHeaders, streamId, block);
      return;
    }
    this.frame(FRAME.headers, flags, streamId, block.subarray(0, max));
    for (let at = max; at < block.length; at += max) {
      const isEnd = at + max >= block.length;
      const part = block.subarray(at, at + max);
      this.frame(FRAME.continuation, isEnd ? FLAG.endHeaders : 0, streamId, part);
    }
  }

  reset(streamId: number, code: number): void {
    this.#word(FRAME.rstStream, streamId, code);
  }

  /** 0 is the connection. */
  windowUpdate(streamId: number, moreBytes: number): void {
    this.#word(FRAME.windowUpdate, streamId, moreBytes);
  }

  goaway(lastStreamId: number, code: number, text: string): void {
    const payload = Buffer.alloc(8 + text.length);
    payload.writeUInt32BE(lastStreamId);
    payload.writeUInt32BE(code, 4);
    payload.write(text, 8, "latin1");
    this.frame(FRAME.goaway, 0, 0, payload);
  }

  /** All of it at once, if nothing is in the way. */
  data(stream: Stream, bytes: Uint8Array, taken: (() => void) | undefined): boolean {
    const { length } = bytes;
    if (length > this.#sendable(stream)) return false;
    this.#window -= length;
    stream.sendWindow -= length;
    this.#output.data(stream.id, bytes);
    if (taken !== undefined) this.#output.whenTaken(taken);
    this.#output.schedule();
    return true;
  }

  /** Sends what the stream has, as far as that goes. */
  pump(stream: Stream): void {
    while (stream.isWaiting) {
      if (!this.#pumpOne(stream)) {
        this.#waiting.add(stream);
        return;
      }
    }
    this.#waiting.delete(stream);
    stream.drained();
  }

  /** A frame of each stream that waits, and again, until none may send any more. */
  pumpAll(): void {
    for (const stream of this.#waiting) {
      if (!this.#pumpOne(stream)) continue;
      // Who has sent goes to the end of the line, where this loop finds it again; so does the next
      // one: a window that is given back in small pieces would be that of the first for ever.
      this.#waiting.delete(stream);
      if (stream.isWaiting) this.#waiting.add(stream);
      else stream.drained();
    }
  }

  /** The stream is over. */
  forget(stream: Stream): void {
    this.#waiting.delete(stream);
  }

  /** The peer lets us send more. @throws ConnectionError */
  widen(moreBytes: number): void {
    this.#window += moreBytes;
    mustBe(this.#window <= WINDOW_MAX_BYTES, ERROR.flowControl, "WINDOW_UPDATE");
    this.pumpAll();
  }

  /**
   * Also of streams that are open, whose windows can be below 0 then (section 6.9.2).
   * @throws ConnectionError
   */
  resizeStreamWindows(bytes: number, open: Iterable<Stream>): void {
    mustBe(bytes <= WINDOW_MAX_BYTES, ERROR.flowControl, "INITIAL_WINDOW_SIZE");
    const more = bytes - this.#streamWindow;
    this.#streamWindow = bytes;
    for (const stream of open) {
      stream.sendWindow += more;
      mustBe(stream.sendWindow <= WINDOW_MAX_BYTES, ERROR.flowControl, "INITIAL_WINDOW_SIZE");
    }
  }

  /** The table that the peer keeps for us. */
  resizeTable(bytes: number): void {
    this.#encoder.resize(bytes);
  }

  /** The largest frame that the peer takes. */
  resizeFrames(maxBytes: number): void {
    this.#frameMaxBytes = Math.min(maxBytes, FRAME_MAX_BYTES);
  }

  flush(): void {
    this.#output.flush();
  }

  /** Hands over what there is, and sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#output.handOver();
  }

  #word(type: number, streamId: number, word: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(word);
    this.frame(type, 0, streamId, payload);
  }

  /** How much of its data the stream may send now. */
  #sendable(stream: Stream): number {
    if (this.#isClosed || this.#output.bytes >= BACKLOG_BYTES) return 0;
    return Math.min(this.#window, stream.sendWindow, this.#frameMaxBytes);
  }

  /** One frame. */
  #pumpOne(stream: Stream): boolean {
    const max = this.#sendable(stream);
    if (max <= 0) return false;
    const next = stream.next(max);
    if (next === undefined) return false;
    this.data(stream, next.bytes, next.taken);
    return true;
  }
}
