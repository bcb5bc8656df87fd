// Counts calls, those of a server and those of each of its connections: the figures of channelz.
//
// Nothing of it exists unless somebody has asked for it, because every call pays for being counted.

import { status } from "@grpc/grpc-js";
import type { Connection } from "../http2/connection.js";
import type { Clock } from "../lib/clock.js";
import type { CallCounts } from "./call-setup.js";

/** Times are milliseconds since 1970; undefined: never. */
export interface CallFigures {
  started: number;
  succeeded: number;
  failed: number;
  lastStartedMs: number | undefined;
}

export interface ConnectionFigures extends CallFigures {
  /** Grows from connection to connection; the first is 1. */
  readonly id: number;
  readonly connection: Connection;
  received: number;
  lastReceivedMs: number | undefined;
  sent: number;
  lastSentMs: number | undefined;
}

export class CallCounter implements CallCounts {
  readonly all: CallFigures = newFigures();
  readonly #clock: Clock;
  /** Those that are open, in the order of their ids. */
  readonly #open = new Map<Connection, ConnectionFigures>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the order of their ids. */
  get connections(): Iterable<ConnectionFigures> {
    return this.#open.values();
  }

  opened(connection: Connection): void {
    this.#lastId += 1;
    this.#open.set(connection, {
      ...newFigures(),
      id: this.#lastId,
      connection,
      received: 0,
      lastReceivedMs: undefined,
      sent: 0,
      lastSentMs: undefined,
    });
    connection.socket.once("close", () => this.#open.delete(connection));
  }

  started(connection: Connection): void {
    const nowMs = this.#clock.wallMs();
    start(this.all, nowMs);
    const figures = this.#open.get(connection);
    if (figures !== undefined) start(figures, nowMs);
  }

  ended(connection: Connection, code: status): void {
    end(this.all, code);
    const figures = this.#open.get(connection);
    if (figures !== undefined) end(figures, code);
  }

  received(connection: Connection): void {
    const figures = this.#open.get(connection);
    if (figures === undefined) return;
    figures.received += 1;
    figures.lastReceivedMs = this.#clock.wallMs();
  }

  sent(connection: Connection): void {
    const figures = this.#open.get(connection);
    if (figures === undefined) return;
    figures.sent += 1;
    figures.lastSentMs = this.#clock.wallMs();
  }
}

function newFigures(): CallFigures {
  return { started: 0, succeeded: 0, failed: 0, lastStartedMs: undefined };
}

function start(figures: CallFigures, nowMs: number): void {
  figures.started += 1;
  figures.lastStartedMs = nowMs;
}

function end(figures: CallFigures, code: status): void {
  if (code === status.OK) figures.succeeded += 1;
  else figures.failed += 1;
}
