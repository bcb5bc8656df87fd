// How many large answers are held for a connection whose peer does not take them: as long as there
// are as many, its further calls that may have a large answer wait.

import type { ServerHttp2Stream } from "node:http2";

/** From here on an answer is large: what does not fit a window of HTTP/2. */
const LARGE_BYTES = 64 * 1024;

/** With the default limits, 64 MiB a connection. */
const LARGE_ANSWERS_MAX = 16;

/**
 * The room of one connection. A call that ends while it waits leaves its place at once: its peer
 * can make any number of those.
 */
class Room {
  readonly #waiting = new Set<() => void>();
  #inside = 0;
  #admitting = false;

  /** Runs it when there is room, unless the stream is closed by then. */
  enter(stream: ServerHttp2Stream, run: () => void): void {
    if (stream.destroyed) return;
    if (this.#inside < LARGE_ANSWERS_MAX) {
      this.#inside += 1;
      run();
      return;
    }
    const admit = () => {
      stream.off("close", giveUp);
      run();
    };
    const giveUp = () => this.#waiting.delete(admit);
    stream.once("close", giveUp);
    this.#waiting.add(admit);
  }

  /** Who is let in may leave before that returns: so it is a loop that lets in, one for all. */
  leave(): void {
    this.#inside -= 1;
    if (this.#admitting) return;
    this.#admitting = true;
    try {
      this.#admit();
    } finally {
      this.#admitting = false;
    }
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#inside >= LARGE_ANSWERS_MAX) return;
      this.#waiting.delete(admit);
      this.#inside += 1;
      admit();
    }
  }
}

export class AnswerRooms {
  readonly #rooms = new WeakMap<object, Room>();

  /** Runs it when there is room; it calls back once it has given its answer to the transport. */
  enter(stream: ServerHttp2Stream | undefined, run: (answered: () => void) => void): void {
    const session = stream?.session;
    if (stream === undefined || session === undefined) {
      run(() => {});
      return;
    }
    const room = this.#roomOf(session);
    room.enter(stream, () => run(() => leaveSoon(stream, room)));
  }

  #roomOf(session: object): Room {
    const known = this.#rooms.get(session);
    if (known !== undefined) return known;
    const room = new Room();
    this.#rooms.set(session, room);
    return room;
  }
}

/** Most answers are small, and make room at once; a large one may be taken in the same turn. */
function leaveSoon(stream: ServerHttp2Stream, room: Room): void {
  if (isTaken(stream)) room.leave();
  else setImmediate(() => leaveWhenTaken(stream, room));
}

function leaveWhenTaken(stream: ServerHttp2Stream, room: Room): void {
  if (isTaken(stream)) room.leave();
  else stream.once("close", () => room.leave());
}

function isTaken(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.writableLength < LARGE_BYTES;
}
