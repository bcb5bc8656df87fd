// One stream of a connection, on which a request comes in and its answer goes out.
//
// The answer is a head, data, and fields that end it. Data leaves as far as the peer's windows and
// the socket let it; what they do not is kept here, and counted.

import type { Connection } from "./connection.js";
import { ERROR } from "./protocol.js";
import type { HeaderField } from "./static-table.js";

/** Who takes a request. */
export interface StreamSink {
  /** A part of the request's body: a view of what was received. */
  data(bytes: Buffer): void;
  /** The request is there, whole. */
  end(): void;
  /** The stream is over, however that came; once, and nothing comes after it. */
  closed(): void;
}

/** Links of a line, since an array of many moves all of them for each that leaves. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly taken: (() => void) | undefined;
  after: Waiting | undefined;
}

export class Stream {
  readonly id: number;
  readonly connection: Connection;
  /** What the peer lets us send. */
  sendWindow: number;
  /** What we let the peer send. */
  receiveWindow: number;
  sink: StreamSink = NOBODY;
  isRequestEnded = false;
  isPaused = false;
  isClosed = false;
  hasHead = false;
  /** What is to come of a request's body that said how long it is. */
  contentBytesLeft: number | undefined;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  /** Of the first that waits, what has left already. */
  #sent = 0;
  #unsentBytes = 0;
  #ending: readonly HeaderField[] | undefined;
  #listeners: (() => void)[] | undefined;

  constructor(connection: Connection, id: number, windows: { send: number; receive: number }) {
    this.connection = connection;
    this.id = id;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
  }

  /** Bytes of data that have not left for the socket. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** The answer has its end, sent or not. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  /** The answer's head. */
  head(fields: readonly HeaderField[]): void {
    if (this.isClosed || this.isEnding) return;
    this.hasHead = true;
    this.connection.sender.fields(this.id, fields, false);
  }

  /** Calls back once the system has taken the bytes, or never will. They must not change. */
  data(bytes: Uint8Array, taken?: () => void): void {
    if (this.isClosed || this.isEnding || bytes.length === 0) {
      taken?.();
      return;
    }
    if (!this.isWaiting && this.connection.sender.data(this, bytes, taken)) return;
    const waiting = { bytes, taken, after: undefined };
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.after = waiting;
    this.#last = waiting;
    this.#unsentBytes += bytes.length;
    this.connection.sender.pump(this);
  }

  /** The fields that end the answer, after all data; they are its head too when there is none. */
  end(fields: readonly HeaderField[]): void {
    if (this.isClosed || this.isEnding) return;
    this.#ending = fields;
    if (!this.isWaiting) this.#end();
  }

  /** Ends it at once, whatever waits. */
  reset(code: number): void {
    if (this.isClosed) return;
    this.connection.sender.reset(this.id, code);
    this.close();
  }

  /** What comes from now on is taken still, but the peer may send no more than its window. */
  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.connection.openWindow(this);
  }

  /** Calls back when the stream is over; at once when it is. */
  whenClosed(listener: () => void): void {
    if (this.isClosed) listener();
    else if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  /** The connection's: counts what came; false when the request said otherwise (section 8.1.1). */
  mayHold(bytes: number, isLast: boolean): boolean {
    if (this.contentBytesLeft === undefined) return true;
    this.contentBytesLeft -= bytes;
    return isLast ? this.contentBytesLeft === 0 : this.contentBytesLeft >= 0;
  }

  /** The connection's: the next bytes to send, `max` at most, which leave with this call. */
  next(
    max: number,
  ): { readonly bytes: Uint8Array; readonly taken: (() => void) | undefined } | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const left = first.bytes.length - this.#sent;
    const length = Math.min(left, max);
    const bytes = first.bytes.subarray(this.#sent, this.#sent + length);
    this.#unsentBytes -= length;
    if (length < left) {
      this.#sent += length;
      return { bytes, taken: undefined };
    }
    this.#sent = 0;
    this.#first = first.after;
    if (first.after === undefined) this.#last = undefined;
    return { bytes, taken: first.taken };
  }

  /** The connection's: whether data waits. */
  get isWaiting(): boolean {
    return this.#first !== undefined;
  }

  /** The connection's: all data has left. */
  drained(): void {
    if (this.isEnding) this.#end();
  }

  /** The connection's: nothing comes any more, and nothing leaves. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.connection.forget(this);
    this.sink.closed();
    let waiting = this.#first;
    this.#first = undefined;
    this.#last = undefined;
    for (; waiting !== undefined; waiting = waiting.after) waiting.taken?.();
    this.#unsentBytes = 0;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener();
  }

  #end(): void {
    this.connection.sender.fields(this.id, this.#ending ?? [], true);
    // The peer need not send the rest of what is answered already (RFC 9113, section 8.1).
    if (!this.isRequestEnded) this.connection.sender.reset(this.id, ERROR.none);
    this.close();
  }
}

const NOBODY: StreamSink = { data: () => {}, end: () => {}, closed: () => {} };
