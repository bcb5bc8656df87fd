// How many large answers are held for a connection whose peer does not take them: as long as there
// are as many, its further calls that may have a large answer wait.

import type { Stream } from "../http2/stream.js";

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
  enter(stream: Stream, run: () => void): void {
    if (stream.isClosed) return;
    if (this.#inside < LARGE_ANSWERS_MAX) {
      this.#inside += 1;
      run();
      return;
    }
    this.#waiting.add(run);
    stream.whenClosed(() => this.#waiting.delete(run));
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
  enter(stream: Stream | undefined, run: (answered: () => void) => void): void {
    if (stream === undefined) {
      run(() => {});
      return;
    }
    const room = this.#roomOf(stream.connection);
    room.enter(stream, () => run(() => leaveSoon(stream, room)));
  }

  #roomOf(connection: object): Room {
    const known = this.#rooms.get(connection);
    if (known !== undefined) return known;
    const room = new Room();
    this.#rooms.set(connection, room);
    return room;
  }
}

/** Most answers are small, and make room at once; a large one may be taken in the same turn. */
function leaveSoon(stream: Stream, room: Room): void {
  if (isTaken(stream)) room.leave();
  else setImmediate(() => leaveWhenTaken(stream, room));
}

function leaveWhenTaken(stream: Stream, room: Room): void {
  if (isTaken(stream)) room.leave();
  else stream.whenClosed(() => room.leave());
}

function isTaken(stream: Stream): boolean {
  return stream.isClosed || stream.unsentBytes < LARGE_BYTES;
}
