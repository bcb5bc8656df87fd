// A client of HTTP/2 that sends what a test tells it, byte by byte if need be, and keeps the frames
// that it is answered. It keeps to no rule by itself: it does not even acknowledge SETTINGS.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { ExecutionContext } from "ava";
import {
  ACK,
  CLIENT_PREFACE,
  cutFrames,
  END_STREAM,
  type Frame,
  ping,
  settings,
  TYPE,
} from "./frames.js";
import { literal, plainBlock } from "./header-block.js";

/** The fields of a request, as literals. */
export function requestBlock(path: string, ...more: (readonly [string, string])[]): Buffer {
  return plainBlock([[":method", "POST"], [":scheme", "http"], [":path", path], ...more]);
}

export const TRAILERS = literal({ name: "x-checksum", value: "1" });

export class RawPeer {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** Settles when the connection is gone, however it went. */
  readonly closed: Promise<void>;
  #isClosed = false;
  #parts: Buffer[] = [];
  #bytes = 0;
  #pings = 0;
  readonly #looks = new Set<() => void>();

  /** Says its preface, with these settings. */
  static async open(t: ExecutionContext, port: number, opening = settings()): Promise<RawPeer> {
    const peer = await RawPeer.connect(t, port);
    peer.send(CLIENT_PREFACE, opening);
    return peer;
  }

  /** Says nothing yet. */
  static async connect(t: ExecutionContext, port: number): Promise<RawPeer> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    t.teardown(() => socket.destroy());
    await once(socket, "connect");
    return new RawPeer(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (bytes) => this.#take(bytes));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        this.#lookAll();
        resolve();
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The first frame of which this holds, of those that came and those that come. */
  async first(holds: (frame: Frame) => boolean): Promise<Frame> {
    let at = 0;
    await this.until(() => {
      while (at < this.frames.length && !holds(this.frames[at] as Frame)) at += 1;
      return at < this.frames.length;
    });
    return this.frames[at] as Frame;
  }

  /** Waits until it is so; @throws when the connection is gone and it is not. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (isSo()) resolve();
        else if (this.#isClosed) reject(new Error(`the connection is closed: ${this.#summary()}`));
        else return;
        this.#looks.delete(look);
      };
      this.#looks.add(look);
      look();
    });
  }

  /** Settles when the server has dealt with all that was sent, and its answers are here. */
  async settle(): Promise<void> {
    this.#pings += 1;
    const payload = `p${String(this.#pings).padStart(7, "0")}`;
    this.send(ping(payload));
    await this.first(
      (frame) =>
        frame.type === TYPE.ping && frame.flags === ACK && frame.payload.toString() === payload,
    );
  }

  /** The code of the GOAWAY that ends the connection, once it is closed. */
  async goaway(): Promise<number> {
    const { payload } = await this.first(({ type }) => type === TYPE.goaway);
    await this.closed;
    return payload.readUInt32BE(4);
  }

  /** The code that a stream is reset with. */
  async reset(id: number): Promise<number> {
    const { payload } = await this.first((frame) => {
      return frame.type === TYPE.rstStream && frame.streamId === id;
    });
    return payload.readUInt32BE();
  }

  /** Settles when the answer of a stream has ended. */
  async ended(id: number): Promise<void> {
    await this.first(({ type, flags, streamId }) => {
      return type === TYPE.headers && streamId === id && (flags & END_STREAM) !== 0;
    });
  }

  of(type: number, id: number): Frame[] {
    return this.frames.filter((frame) => frame.type === type && frame.streamId === id);
  }

  /** The data of a stream, so far. */
  body(id: number): Buffer {
    return Buffer.concat(this.of(TYPE.data, id).map(({ payload }) => payload));
  }

  /** Sums up the WINDOW_UPDATEs of a stream, or of the connection. */
  credit(id: number): number {
    const frames = this.of(TYPE.windowUpdate, id);
    return frames.reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0);
  }

  #take(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    const first = this.#parts[0] as Buffer;
    // A frame in many parts is put together once, not at each of them.
    if (first.length >= 3 && this.#bytes < 9 + first.readUIntBE(0, 3)) return;
    const { frames, rest } = cutFrames(Buffer.concat(this.#parts));
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    this.frames.push(...frames);
    this.#lookAll();
  }

  #lookAll(): void {
    for (const look of this.#looks) look();
  }

  #summary(): string {
    return this.frames
      .slice(-10)
      .map(({ type, flags, streamId, payload }) => {
        return `${type}/${flags}/${streamId} ${payload.subarray(0, 24).toString("hex")}`;
      })
      .join(", ");
  }
}
