// The door of a connection: the first bytes say whether it speaks HTTP/2, which is gRPC's, or
// HTTP/1.
//
// What was read to find out is put back, so that nothing stands in the way afterwards. A connection
// that does not say what it speaks in time is closed.

import type { Socket } from "node:net";
import type { Clock } from "../lib/clock.js";
import { DueList } from "../lib/due-list.js";

/** What every HTTP/2 connection begins with, as far as it is needed. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n", "latin1");

export interface FrontOptions {
  readonly toHttp2: (socket: Socket) => void;
  readonly toHttp1: (socket: Socket) => void;
  readonly maxMs: number;
  readonly clock: Clock;
}

export class Front {
  readonly #options: FrontOptions;
  readonly #silent: DueList<Socket>;
  readonly #waiting = new Set<Socket>();

  constructor(options: FrontOptions) {
    this.#options = options;
    const { maxMs, clock } = options;
    this.#silent = new DueList({ maxMs, clock, onDue: (socket) => socket.destroy() });
  }

  /** Connections that have not said what they speak. */
  get size(): number {
    return this.#waiting.size;
  }

  accept(socket: Socket): void {
    // A reset is told as an error, which nobody may listen to yet; "close" follows.
    socket.on("error", () => {});
    this.#waiting.add(socket);
    this.#silent.begin(socket);
    let head = Buffer.alloc(0);
    const forget = () => {
      this.#waiting.delete(socket);
      this.#silent.delete(socket);
    };
    const look = () => {
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return;
      head = Buffer.concat([head, bytes]);
      const begun = head.subarray(0, PREFACE.length);
      const isPreface = begun.equals(PREFACE.subarray(0, begun.length));
      if (isPreface && begun.length < PREFACE.length) return;
      socket.off("readable", look);
      socket.off("close", forget);
      forget();
      socket.unshift(head);
      if (isPreface) this.#options.toHttp2(socket);
      else this.#options.toHttp1(socket);
    };
    socket.once("close", forget);
    socket.on("readable", look);
  }

  /** Closes those that have said nothing. */
  stop(): void {
    this.#silent.close();
    for (const socket of this.#waiting) socket.destroy();
  }
}
