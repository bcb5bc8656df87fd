// One connection of HTTP/2, the server's side: RFC 9113. It reads frames, and makes streams of
// requests; its Sender answers.
//
// What a peer can make it hold is bounded: blocks of header fields, streams at a time, data beyond
// a window, answers to its pings. A peer that breaks the protocol, or resets streams as fast as it
// can open them, is told so and loses the connection. Knows nothing of gRPC.

import type { Socket } from "node:net";
import { type Block, BlockReader } from "./block-reader.js";
import { ConnectionError, mustBe } from "./connection-error.js";
import { type FrameHead, FrameReader } from "./frame-reader.js";
import { HpackDecoder, HpackError } from "./hpack-decoder.js";
import { unpadded } from "./padding.js";
import {
  DEFAULT,
  ERROR,
  FLAG,
  FRAME,
  PREFACE,
  SETTING,
  STREAM_ID_MAX,
  WINDOW_MAX_BYTES,
} from "./protocol.js";
import { areFields, type RequestHead, requestHead } from "./request-head.js";
import { ResetBudget } from "./reset-budget.js";
import { Sender } from "./sender.js";
import type { HeaderField } from "./static-table.js";
import { Stream, type StreamSink } from "./stream.js";

export interface ConnectionOptions {
  /** Streams at a time; more are refused. */
  readonly streamsMax: number;
  /** The fields of most answers, their heads and their ends: these very lists. */
  readonly usualFields: readonly (readonly HeaderField[])[];
  /** A request has begun. */
  readonly onRequest: (stream: Stream, head: RequestHead) => StreamSink;
  /** An error of ours; the connection is lost. */
  readonly onBug: (error: unknown) => void;
  /** In milliseconds, never back. */
  readonly monotonicMs: () => number;
}

/** What a stream may send us before we have taken any of it. */
const STREAM_WINDOW_BYTES = 256 * 1024;
/** The same for all streams of a connection; it is given back whoever takes it. */
const WINDOW_BYTES = 1024 * 1024;
/** Of the fields of a request, as HPACK counts them: 32 bytes each, and their texts. */
const FIELDS_MAX_BYTES = 32 * 1024;
/** A peer that lets so much wait makes us answer and does not read: it loses the connection. */
const OUTPUT_MAX_BYTES = 2 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

export class Connection {
  readonly socket: Socket;
  readonly sender: Sender;
  readonly #options: ConnectionOptions;
  readonly #frames = new FrameReader();
  readonly #blocks = new BlockReader();
  readonly #decoder: HpackDecoder;
  readonly #streams = new Map<number, Stream>();
  readonly #resets: ResetBudget;
  #prefaceBytes = 0;
  #hasSettings = false;
  #isDraining = false;
  #isClosed = false;
  #lastStreamId = 0;
  /** The last that was not refused for the end that was announced: it is announced once. */
  #lastTakenId = 0;
  #begun = 0;
  #receiveWindow = WINDOW_BYTES;
  #pinged: (() => void) | undefined;
  #pings = 0;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.socket = socket;
    this.#options = options;
    this.sender = new Sender(socket, options.usualFields);
    this.#resets = new ResetBudget(options.monotonicMs);
    const tableMaxBytes = DEFAULT.headerTableBytes;
    this.#decoder = new HpackDecoder({ tableMaxBytes, listMaxBytes: FIELDS_MAX_BYTES });
    this.#greet();
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    // The peer sends nothing more, so it cannot read what is left either: gRPC has no use for it.
    socket.once("end", () => socket.destroy());
    socket.once("close", () => this.#close());
    socket.on("error", () => {});
  }

  /** Nothing is taken any more; what is left to send may still be on its way. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many streams have begun, ever. */
  get begun(): number {
    return this.#begun;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** How often the peer was asked for a word. */
  get pings(): number {
    return this.#pings;
  }

  /** What the peer lets us send, and what we let it send; streams have windows of their own. */
  get windows(): { readonly send: number; readonly receive: number } {
    return { send: this.sender.window, receive: this.#receiveWindow };
  }

  /** Takes no more streams; the socket is closed when those that are open have ended. */
  drain(): void {
    if (this.#isDraining || this.#isClosed) return;
    this.#isDraining = true;
    this.sender.goaway(this.#lastTakenId, ERROR.none, "");
    this.#endIfDone();
  }

  /** Asks the peer for a word; calls back when it comes. */
  ping(answered: () => void): void {
    this.#pinged = answered;
    this.#pings += 1;
    this.sender.frame(FRAME.ping, 0, 0, Buffer.alloc(8));
  }

  /** The stream's: lets its peer send as much as at first. */
  openWindow(stream: Stream): void {
    const owed = STREAM_WINDOW_BYTES - stream.receiveWindow;
    if (owed * 2 < STREAM_WINDOW_BYTES || stream.isPaused || stream.isRequestEnded) return;
    if (stream.isClosed) return;
    stream.receiveWindow += owed;
    this.sender.windowUpdate(stream.id, owed);
  }

  /** The stream's: it is over. */
  forget(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.sender.forget(stream);
    this.#endIfDone();
  }

  #greet(): void {
    const settings = [
      [SETTING.maxConcurrentStreams, this.#options.streamsMax],
      [SETTING.initialWindowSize, STREAM_WINDOW_BYTES],
      [SETTING.maxHeaderListSize, FIELDS_MAX_BYTES],
    ] as const;
    const payload = Buffer.alloc(settings.length * 6);
    for (const [index, [id, value]] of settings.entries()) {
      payload.writeUInt16BE(id, index * 6);
      payload.writeUInt32BE(value, index * 6 + 2);
    }
    this.sender.frame(FRAME.settings, 0, 0, payload);
    this.sender.windowUpdate(0, WINDOW_BYTES - DEFAULT.windowBytes);
  }

  #take(bytes: Buffer): void {
    if (this.#isClosed) return;
    try {
      const frames = this.#afterPreface(bytes);
      if (frames.length > 0 && !this.#frames.take(frames, this.#onFrame)) {
        throw new ConnectionError(ERROR.frameSize, "a frame larger than agreed");
      }
      if (this.sender.bytes > OUTPUT_MAX_BYTES) this.socket.destroy();
    } catch (error) {
      this.#fail(error);
    }
    this.sender.flush();
  }

  #afterPreface(bytes: Buffer): Buffer {
    if (this.#prefaceBytes === PREFACE.length) return bytes;
    const begun = bytes.subarray(0, PREFACE.length - this.#prefaceBytes);
    const expected = PREFACE.subarray(this.#prefaceBytes, this.#prefaceBytes + begun.length);
    if (!begun.equals(expected)) throw new ConnectionError(ERROR.protocol, "not HTTP/2");
    this.#prefaceBytes += begun.length;
    return bytes.subarray(begun.length);
  }

  readonly #onFrame = (head: FrameHead, payload: Buffer): boolean => {
    const { type } = head;
    if (!this.#hasSettings) {
      const isGood = type === FRAME.settings && (head.flags & FLAG.ack) === 0;
      mustBe(isGood, ERROR.protocol, "SETTINGS come first");
      this.#hasSettings = true;
    }
    this.#blocks.expect(type);
    switch (type) {
      case FRAME.data:
        this.#data(head, payload);
        break;
      case FRAME.headers:
        this.#fields(this.#blocks.headers(head, payload));
        break;
      case FRAME.priority:
        this.#priority(head, payload);
        break;
      case FRAME.rstStream:
        this.#rstStream(head, payload);
        break;
      case FRAME.settings:
        this.#settings(head, payload);
        break;
      case FRAME.pushPromise:
        throw new ConnectionError(ERROR.protocol, "a client pushes nothing");
      case FRAME.ping:
        this.#ping(head, payload);
        break;
      case FRAME.goaway:
        mustBe(head.streamId === 0, ERROR.protocol, "GOAWAY of a stream");
        mustBe(payload.length >= 8, ERROR.frameSize, "GOAWAY");
        break;
      case FRAME.windowUpdate:
        this.#windowUpdate(head, payload);
        break;
      case FRAME.continuation:
        this.#fields(this.#blocks.continuation(head, payload));
        break;
      default:
      // Of an extension that we do not know (section 4.1).
    }
    return !this.#isClosed;
  };

  #data({ flags, streamId }: FrameHead, payload: Buffer): void {
    mustBe(streamId !== 0, ERROR.protocol, "DATA of no stream");
    this.#receiveWindow -= payload.length;
    mustBe(this.#receiveWindow >= 0, ERROR.flowControl, "DATA beyond the window");
    const bytes = unpadded(flags, payload);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) this.#mustHaveBegun(streamId);
    else if (stream.isRequestEnded) this.#refuse(stream, ERROR.streamClosed);
    else this.#dataOf(stream, bytes, payload.length, (flags & FLAG.endStream) !== 0);
    if (this.#receiveWindow * 2 > WINDOW_BYTES) return;
    this.sender.windowUpdate(0, WINDOW_BYTES - this.#receiveWindow);
    this.#receiveWindow = WINDOW_BYTES;
  }

  #dataOf(stream: Stream, bytes: Buffer, counted: number, isLast: boolean): void {
    stream.receiveWindow -= counted;
    if (stream.receiveWindow < 0) {
      this.#refuse(stream, ERROR.flowControl);
      return;
    }
    if (!stream.mayHold(bytes.length, isLast)) {
      this.#refuse(stream, ERROR.protocol);
      return;
    }
    if (isLast) stream.isRequestEnded = true;
    if (bytes.length > 0) stream.sink.data(bytes);
    // What takes the data may end the stream.
    if (stream.isClosed) return;
    if (isLast) stream.sink.end();
    else this.openWindow(stream);
  }

  /** Every block is decoded, whatever becomes of its stream: those to come depend on it. */
  #fields(block: Block | undefined): void {
    if (block === undefined) return;
    const { streamId, isLast, bytes } = block;
    const { fields, isCut } = this.#decoder.decode(bytes);
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#trailers(stream, isLast, !isCut && areFields(fields));
    else if (streamId > this.#lastStreamId) {
      this.#lastStreamId = streamId;
      if (!this.#isDraining) this.#lastTakenId = streamId;
      this.#request(streamId, isLast, isCut ? "too large" : requestHead(fields));
    } else {
      // Trailers may have been on their way when their stream was reset; a request may not.
      const isRequest = fields[0]?.name.startsWith(":") === true;
      mustBe(!isRequest, ERROR.protocol, "a request of a stream that was passed over");
    }
  }

  #request(streamId: number, isLast: boolean, head: RequestHead | "too large" | undefined): void {
    if (this.#isDraining || this.#streams.size >= this.#options.streamsMax) {
      this.sender.reset(streamId, ERROR.refusedStream);
    } else if (head === "too large") this.sender.reset(streamId, ERROR.enhanceYourCalm);
    else if (head === undefined || (isLast && (head.contentBytes ?? 0) > 0)) {
      this.sender.reset(streamId, ERROR.protocol);
    } else {
      const windows = { send: this.sender.streamWindow, receive: STREAM_WINDOW_BYTES };
      const stream = new Stream(this, streamId, windows);
      this.#streams.set(streamId, stream);
      this.#begun += 1;
      stream.isRequestEnded = isLast;
      stream.contentBytesLeft = head.contentBytes;
      const sink = this.#options.onRequest(stream, head);
      // It may have been told already, if it was the stream's before it was ours.
      const isTold = stream.sink === sink;
      stream.sink = sink;
      if (!stream.isClosed) {
        if (isLast) sink.end();
      } else if (!isTold) sink.closed();
    }
  }

  /** Fields after a request's body; nobody asks for them. */
  #trailers(stream: Stream, isLast: boolean, areGood: boolean): void {
    if (stream.isRequestEnded) this.#refuse(stream, ERROR.streamClosed);
    else if (!isLast || !areGood || !stream.mayHold(0, true)) this.#refuse(stream, ERROR.protocol);
    else {
      stream.isRequestEnded = true;
      stream.sink.end();
    }
  }

  #priority({ streamId }: FrameHead, payload: Buffer): void {
    mustBe(streamId !== 0, ERROR.protocol, "PRIORITY of no stream");
    mustBe(payload.length === 5, ERROR.frameSize, "PRIORITY");
  }

  #rstStream({ streamId }: FrameHead, payload: Buffer): void {
    mustBe(payload.length === 4, ERROR.frameSize, "RST_STREAM");
    this.#mustHaveBegun(streamId);
    this.#spendReset();
    this.#streams.get(streamId)?.close();
  }

  /** Resets a stream for what its peer did: it could have that done again and again, too. */
  #refuse(stream: Stream, code: number): void {
    stream.reset(code);
    this.#spendReset();
  }

  #spendReset(): void {
    mustBe(this.#resets.spend(), ERROR.enhanceYourCalm, "too many streams were reset");
  }

  #settings({ flags, streamId }: FrameHead, payload: Buffer): void {
    mustBe(streamId === 0, ERROR.protocol, "SETTINGS of a stream");
    if ((flags & FLAG.ack) !== 0) {
      mustBe(payload.length === 0, ERROR.frameSize, "SETTINGS");
      return;
    }
    mustBe(payload.length % 6 === 0, ERROR.frameSize, "SETTINGS");
    for (let at = 0; at < payload.length; at += 6) {
      this.#setting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.sender.frame(FRAME.settings, FLAG.ack, 0, NOTHING);
    this.sender.pumpAll();
  }

  #setting(id: number, value: number): void {
    if (id === SETTING.headerTableSize) this.sender.resizeTable(value);
    else if (id === SETTING.enablePush) mustBe(value <= 1, ERROR.protocol, "ENABLE_PUSH");
    else if (id === SETTING.initialWindowSize)
      this.sender.resizeStreamWindows(value, this.#streams.values());
    else if (id === SETTING.maxFrameSize) {
      const isGood = value >= DEFAULT.frameMaxBytes && value < 2 ** 24;
      mustBe(isGood, ERROR.protocol, "MAX_FRAME_SIZE");
      this.sender.resizeFrames(value);
    }
  }

  #ping({ flags, streamId }: FrameHead, payload: Buffer): void {
    mustBe(streamId === 0, ERROR.protocol, "PING of a stream");
    mustBe(payload.length === 8, ERROR.frameSize, "PING");
    if ((flags & FLAG.ack) === 0) this.sender.frame(FRAME.ping, FLAG.ack, 0, payload);
    else {
      this.#pinged?.();
      this.#pinged = undefined;
    }
  }

  #windowUpdate({ streamId }: FrameHead, payload: Buffer): void {
    mustBe(payload.length === 4, ERROR.frameSize, "WINDOW_UPDATE");
    const more = payload.readUInt32BE() & STREAM_ID_MAX;
    if (streamId === 0) {
      mustBe(more > 0, ERROR.protocol, "WINDOW_UPDATE of nothing");
      this.sender.widen(more);
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      this.#mustHaveBegun(streamId);
      return;
    }
    stream.sendWindow += more;
    if (more === 0) this.#refuse(stream, ERROR.protocol);
    else if (stream.sendWindow > WINDOW_MAX_BYTES) this.#refuse(stream, ERROR.flowControl);
    else if (stream.isWaiting) this.sender.pump(stream);
  }

  #mustHaveBegun(streamId: number): void {
    const hasBegun = streamId % 2 === 1 && streamId <= this.#lastStreamId;
    mustBe(hasBegun, ERROR.protocol, "a frame of a stream that has not begun");
  }

  /** Tells the peer what it did, and ends the connection. */
  #fail(error: unknown): void {
    const code =
      error instanceof ConnectionError
        ? error.code
        : error instanceof HpackError
          ? ERROR.compression
          : ERROR.internal;
    const text = code === ERROR.internal ? "" : (error as Error).message;
    this.sender.goaway(this.#lastTakenId, code, text);
    this.#close();
    this.socket.destroySoon();
    if (code === ERROR.internal) this.#options.onBug(error);
  }

  #endIfDone(): void {
    if (!this.#isDraining || this.#isClosed || this.#streams.size > 0) return;
    this.#isClosed = true;
    this.sender.close();
    // Not destroyed before the peer closes its side, too: the system would answer what it still
    // sends by a reset, and throw away what it has not read. Whoever wants an end sooner destroys
    // it.
    this.socket.end();
  }

  #close(): void {
    this.#isClosed = true;
    this.sender.close();
    for (const stream of this.#streams.values()) stream.close();
  }
}
