// How many connections there are at a time, of all listeners together.

import type { Socket } from "node:net";
import type { Logger } from "./lib/logger.js";

export interface ConnectionLimitOptions {
  readonly max: number;
  readonly logger: Logger;
  readonly onConnection: (socket: Socket) => void;
}

/** Peers that come and go at the bound would make us log as often as they do. */
const ROOM_AGAIN = 0.9;

export class ConnectionLimit {
  readonly #options: ConnectionLimitOptions;
  #open = 0;
  /** The log has been told, and there was no room worth a word since. */
  #hasTold = false;

  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
  }

  /** Hands it on, or closes it at once. */
  accept(socket: Socket): void {
    const { max, logger, onConnection } = this.#options;
    if (this.#open >= max) {
      socket.destroy();
      if (!this.#hasTold) logger.warn({ max }, "connections are refused (--connections-max)");
      this.#hasTold = true;
      return;
    }
    this.#open += 1;
    socket.once("close", () => {
      this.#open -= 1;
      if (this.#open < max * ROOM_AGAIN) this.#hasTold = false;
    });
    onConnection(socket);
  }
}
