// Looks after connections that are quiet: one whose peer has vanished is closed, and one that
// nobody has used for long. A peer that takes what waits for it is there, though it says nothing:
// our question waits behind that, and a proxy does not read while its own client is slow.

import type { Clock } from "../lib/clock.js";
import { DueList } from "../lib/due-list.js";
import type { Connection } from "./connection.js";

export interface KeeperOptions {
  /** A connection from which nothing came for so long is pinged. */
  readonly quietMs: number;
  /** It is closed when it does not answer in time. */
  readonly answerMs: number;
  /** One without streams for so long, about, takes no more and is closed. */
  readonly idleMs: number;
  readonly clock: Clock;
}

interface Kept {
  readonly connection: Connection;
  bytesRead: number;
  bytesTaken: number;
  /** Not all was taken when that was looked at. */
  hasWaiting: boolean;
  /** It is closed, and its peer was given time to close it, too. */
  isLeaving: boolean;
  begun: number;
  idleSinceMs: number;
}

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #quiet: DueList<Kept>;
  readonly #pinged: DueList<Kept>;

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { quietMs, answerMs, clock } = options;
    this.#quiet = new DueList({ maxMs: quietMs, clock, onDue: (kept) => this.#look(kept) });
    this.#pinged = new DueList({
      maxMs: answerMs,
      clock,
      onDue: (kept) => this.#lookAgain(kept),
    });
  }

  add(connection: Connection): void {
    const idleSinceMs = this.#options.clock.monotonicMs();
    const kept = {
      connection,
      bytesRead: 0,
      bytesTaken: 0,
      hasWaiting: false,
      isLeaving: false,
      begun: 0,
      idleSinceMs,
    };
    this.#quiet.begin(kept);
    connection.socket.once("close", () => {
      this.#quiet.delete(kept);
      this.#pinged.delete(kept);
    });
  }

  /** Closes nothing any more. */
  close(): void {
    this.#quiet.close();
    this.#pinged.close();
  }

  #look(kept: Kept): void {
    const { connection } = kept;
    if (connection.isClosed) this.#letGo(kept);
    else if (this.#isIdle(kept)) {
      connection.drain();
      this.#letGo(kept);
    } else if (isThere(kept)) this.#quiet.begin(kept);
    else {
      this.#pinged.begin(kept);
      connection.ping(() => {
        this.#pinged.delete(kept);
        isThere(kept);
        this.#quiet.begin(kept);
      });
    }
  }

  /** A word that is late, behind much else that the peer sends, is no sign that it has vanished. */
  #lookAgain(kept: Kept): void {
    if (kept.connection.isClosed) this.#letGo(kept);
    else if (isThere(kept)) this.#quiet.begin(kept);
    else kept.connection.socket.destroy();
  }

  /** Its peer takes what is left, and closes it as well; whatever else it says does not count. */
  #letGo(kept: Kept): void {
    const hasTime = hasTaken(kept) || !kept.isLeaving;
    kept.isLeaving = true;
    if (hasTime) this.#pinged.begin(kept);
    else kept.connection.socket.destroy();
  }

  #isIdle(kept: Kept): boolean {
    const { connection, begun } = kept;
    const { clock, idleMs } = this.#options;
    const nowMs = clock.monotonicMs();
    kept.begun = connection.begun;
    if (connection.size > 0 || connection.begun !== begun) kept.idleSinceMs = nowMs;
    return nowMs - kept.idleSinceMs >= idleMs;
  }
}

/** Whether the peer has done anything since this was asked last. */
function isThere(kept: Kept): boolean {
  const { bytesRead } = kept.connection.socket;
  const hasSpoken = bytesRead !== kept.bytesRead;
  kept.bytesRead = bytesRead;
  return hasTaken(kept) || hasSpoken;
}

/**
 * Whether any of what waited when this was asked last was taken. When nothing did it is the system
 * that takes what we write, until it has no room.
 */
function hasTaken(kept: Kept): boolean {
  const { bytesWritten, writableLength } = kept.connection.socket;
  const bytesTaken = bytesWritten - writableLength;
  const isMore = kept.hasWaiting && bytesTaken > kept.bytesTaken;
  kept.bytesTaken = bytesTaken;
  kept.hasWaiting = writableLength > 0;
  return isMore;
}
