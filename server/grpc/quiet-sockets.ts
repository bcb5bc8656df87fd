// Closes sockets on which nothing has moved for long, in neither direction.
//
// A session of HTTP/2 that is alive is pinged, so bytes move. But one that ends over a malformed
// SETTINGS frame lets go of its socket without closing it: nobody reads it any more, so not even
// its peer's end is noticed, and it would be held until the process ends.

import type { Socket } from "node:net";
import type { Clock } from "../lib/clock.js";
import { DueList } from "./due-list.js";

export class QuietSockets {
  readonly #due: DueList<Socket>;
  /** Of each, what had moved when it was looked at last. */
  readonly #moved = new WeakMap<Socket, number>();

  constructor({ maxMs, clock }: { readonly maxMs: number; readonly clock: Clock }) {
    this.#due = new DueList({ maxMs, clock, onDue: (socket) => this.#look(socket) });
  }

  /** It is closed between one and two times the bound after its last byte. */
  add(socket: Socket): void {
    this.#begin(socket);
    socket.once("close", () => this.#due.delete(socket));
  }

  /** Closes nothing any more. */
  close(): void {
    this.#due.close();
  }

  #begin(socket: Socket): void {
    this.#moved.set(socket, bytesOf(socket));
    this.#due.begin(socket);
  }

  #look(socket: Socket): void {
    if (this.#moved.get(socket) === bytesOf(socket)) socket.destroy();
    else this.#begin(socket);
  }
}

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}
