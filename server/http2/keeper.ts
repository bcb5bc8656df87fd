// Looks after connections that are quiet: one whose peer has vanished is closed, and one that
// nobody has used for long.

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
    const kept = { connection, bytesRead: 0, begun: 0, idleSinceMs };
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
    if (connection.isClosed) connection.socket.destroy();
    else if (this.#isIdle(kept)) {
      // That closes it, if its peer takes what is on its way to it.
      this.#pinged.begin(kept);
      connection.drain();
    } else if (hasSpoken(kept)) this.#quiet.begin(kept);
    else {
      this.#pinged.begin(kept);
      connection.ping(() => {
        this.#pinged.delete(kept);
        hasSpoken(kept);
        this.#quiet.begin(kept);
      });
    }
  }

  /** A word that is late, behind much else that the peer sends, is no sign that it has vanished. */
  #lookAgain(kept: Kept): void {
    if (hasSpoken(kept) && !kept.connection.isClosed) this.#quiet.begin(kept);
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

/** Whether anything has come since this was asked last. */
function hasSpoken(kept: Kept): boolean {
  const { bytesRead } = kept.connection.socket;
  const isMore = bytesRead !== kept.bytesRead;
  kept.bytesRead = bytesRead;
  return isMore;
}
