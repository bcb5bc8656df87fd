// One connection of a load: bytes of HTTP/2 on a socket, without what a library does for a caller.
//
// node:http2 spends as much on a call as the server does, so it would measure itself. This writes
// prebuilt bodies, keeps to the peer's windows, and reads of the answers what ends a stream and
// the DATA in between; headers and trailers are skipped. So what a method answers is decoded once
// before it is timed.

import { connect, type Socket } from "node:net";
import {
  DATA_MAX_BYTES,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  frameHead,
  headersTemplate,
  openingBytes,
  SETTING_INITIAL_WINDOW,
  WINDOW_DEFAULT,
  WINDOW_MAX,
  windowUpdate,
} from "./h2-frames.js";

/** One call. */
export interface H2Stream {
  readonly id: number;
  /** What the peer takes at present. */
  window: number;
  readonly onData: (bytes: Buffer) => void;
  readonly onEnd: (reset: boolean) => void;
}

interface Waiting {
  readonly stream: H2Stream;
  readonly bytes: Buffer;
  at: number;
  readonly end: boolean;
}

export class H2Connection {
  readonly #socket: Socket;
  readonly #streams = new Map<number, H2Stream>();
  readonly #templates = new Map<string, Buffer>();
  readonly #waiting: Waiting[] = [];
  #nextId = 1;
  #window = WINDOW_DEFAULT;
  #streamWindow = WINDOW_DEFAULT;
  #taken = 0;
  #rest: Buffer | undefined;
  #corked = false;
  #closed = false;

  static open(port: number): Promise<H2Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new H2Connection(socket)));
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#read(chunk));
    // What was answered is the figure: a connection that breaks shows as calls that never end.
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
    socket.write(openingBytes());
  }

  open(path: string, on: Pick<H2Stream, "onData" | "onEnd">): H2Stream {
    let template = this.#templates.get(path);
    if (template === undefined) {
      template = headersTemplate(path);
      this.#templates.set(path, template);
    }
    const headers = Buffer.from(template);
    headers.writeUInt32BE(this.#nextId, 5);
    const stream = { id: this.#nextId, window: this.#streamWindow, ...on };
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    this.#write(headers);
    return stream;
  }

  /** Sends in order, as the windows allow. `bytes` are not copied: they must not change. */
  send(stream: H2Stream, bytes: Buffer, { end }: { readonly end: boolean }): void {
    this.#waiting.push({ stream, bytes, at: 0, end });
    if (this.#waiting.length === 1) this.#flush();
  }

  /** How many bodies wait for a window of the peer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #flush(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { stream, bytes } = next;
      do {
        const left = bytes.length - next.at;
        const length = Math.min(left, DATA_MAX_BYTES, this.#window, stream.window);
        if (length <= 0 && left > 0) return;
        const last = next.end && length === left;
        const flags = last ? FLAG.endStream : 0;
        this.#write(frameHead({ type: FRAME.data, flags, stream: stream.id, length }));
        this.#write(bytes.subarray(next.at, next.at + length));
        next.at += length;
        this.#window -= length;
        stream.window -= length;
      } while (next.at < bytes.length);
      this.#waiting.shift();
    }
  }

  /** All that is written in a turn leaves in one piece. */
  #write(bytes: Buffer): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#taken += chunk.length;
    if (this.#taken > WINDOW_MAX / 2) {
      this.#write(windowUpdate(this.#taken));
      this.#taken = 0;
    }
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > bytes.length) break;
      this.#take(
        { type: bytes[at + 3] ?? 0, flags: bytes[at + 4] ?? 0, id: bytes.readUInt32BE(at + 5) },
        bytes.subarray(at + FRAME_HEAD_BYTES, end),
      );
      at = end;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
  }

  #take(
    head: { readonly type: number; readonly flags: number; readonly id: number },
    payload: Buffer,
  ): void {
    const { type, flags, id } = head;
    if (type === FRAME.data) {
      if ((flags & FLAG.padded) !== 0) throw new Error("padded DATA: this load cannot read it");
      const stream = this.#streams.get(id);
      if (payload.length > 0) stream?.onData(payload);
      if ((flags & FLAG.endStream) !== 0) this.#over(id, false);
    } else if (type === FRAME.headers) {
      if ((flags & FLAG.endStream) !== 0) this.#over(id, false);
    } else if (type === FRAME.reset) {
      this.#over(id, true);
    } else if (type === FRAME.windowUpdate) {
      const more = payload.readUInt32BE(0);
      if (id === 0) this.#window += more;
      const stream = this.#streams.get(id);
      if (stream !== undefined) stream.window += more;
      this.#flush();
    } else if (type === FRAME.settings && (flags & FLAG.ack) === 0) {
      this.#settle(payload);
    } else if (type === FRAME.ping && (flags & FLAG.ack) === 0) {
      this.#write(frameHead({ type, flags: FLAG.ack, stream: 0, length: payload.length }));
      this.#write(Buffer.from(payload));
    }
  }

  #settle(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== SETTING_INITIAL_WINDOW) continue;
      const window = payload.readUInt32BE(at + 2);
      for (const stream of this.#streams.values()) stream.window += window - this.#streamWindow;
      this.#streamWindow = window;
    }
    this.#write(frameHead({ type: FRAME.settings, flags: FLAG.ack, stream: 0, length: 0 }));
    this.#flush();
  }

  #over(id: number, reset: boolean): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.onEnd(reset);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const id of [...this.#streams.keys()]) this.#over(id, true);
  }
}
