// Connections of HTTP/2, and the calls on them: each request goes to its method, and what is no
// call is refused.

import type { Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import { Connection, type ConnectionOptions } from "../http2/connection.js";
import { Keeper } from "../http2/keeper.js";
import type { RequestHead } from "../http2/request-head.js";
import type { Stream, StreamSink } from "../http2/stream.js";
import { type Clock, systemClock } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import { CallError } from "./call-error.js";
import {
  type CallFields,
  callFields,
  failureFields,
  GOOD_END,
  HEAD,
  NOT_GRPC,
  NOT_POST,
} from "./call-fields.js";
import type { CallCounts, CallSetup } from "./call-setup.js";
import { reportBug } from "./failures.js";
import { RequestTimer } from "./request-timer.js";
import { type ServedMethod, servedMethods } from "./served-methods.js";
import type { Failure, GrpcService } from "./service.js";
import { StreamingCall } from "./streaming-call.js";
import { UnaryCall } from "./unary-call.js";

export interface CallServerOptions {
  readonly services: readonly GrpcService[];
  /** Of a message; larger ones are refused before anybody looks at them. */
  readonly messageMaxBytes: number;
  /** Calls at a time on a connection. */
  readonly connectionMaxStreams: number;
  /** See RequestTimer. */
  readonly requestMaxMs: number;
  readonly answerMaxMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts?: CallCounts | undefined;
}

/**
 * A connection without calls is closed after so long, and one that does not answer a ping as well:
 * what a peer that vanished has left behind is held no longer than that.
 */
const IDLE_MAX_MS = 300_000;
const QUIET_MS = 60_000;
const PING_MAX_MS = 20_000;
/** For a peer to close its side, once the system has all that was for it. */
const LINGER_MS = 1_000;

export class CallServer {
  readonly timer: RequestTimer;
  readonly #methods: ReadonlyMap<string, ServedMethod>;
  readonly #connections = new Set<Connection>();
  readonly #connectionOptions: ConnectionOptions;
  readonly #setup: CallSetup;
  // The system's time, whatever the clock: it is about peers, which have no other.
  readonly #keeper = new Keeper({
    quietMs: QUIET_MS,
    answerMs: PING_MAX_MS,
    idleMs: IDLE_MAX_MS,
    clock: systemClock,
  });

  constructor(options: CallServerOptions) {
    const { requestMaxMs: maxMs, answerMaxMs, clock, logger, counts } = options;
    this.#methods = servedMethods(options.services);
    this.timer = new RequestTimer({ maxMs, answerMaxMs, clock });
    this.#setup = {
      timer: this.timer,
      messageMaxBytes: options.messageMaxBytes,
      deadline: (timeoutMs, passed) => systemClock.setTimer(timeoutMs, passed),
      failureOf: (error) => {
        reportBug(error, logger);
        return { code: status.INTERNAL, details: "internal error" };
      },
      counts,
    };
    this.#connectionOptions = {
      streamsMax: options.connectionMaxStreams,
      usualFields: [HEAD, GOOD_END],
      onRequest: (stream, head) => this.#begin(stream, head),
      onBug: (error) => reportBug(error, logger),
      monotonicMs: () => clock.monotonicMs(),
    };
  }

  /** Serves a connection. */
  accept(socket: Socket): Connection {
    const connection = new Connection(socket, this.#connectionOptions);
    this.#connections.add(connection);
    this.#keeper.add(connection);
    this.#setup.counts?.opened(connection);
    socket.once("close", () => this.#connections.delete(connection));
    return connection;
  }

  /** Takes no new calls; settles when those that run are done, and their connections closed. */
  async drain(): Promise<void> {
    const open = [...this.#connections];
    const gone = open.map(({ socket }) => {
      socket.once("finish", () => systemClock.setTimer(LINGER_MS, () => socket.destroy()));
      return new Promise((resolve) => socket.once("close", resolve));
    });
    for (const connection of open) connection.drain();
    await Promise.all(gone);
  }

  /** Cuts what there is. */
  close(): void {
    this.timer.close();
    this.#keeper.close();
    for (const { socket } of this.#connections) socket.destroy();
  }

  #begin(stream: Stream, head: RequestHead): StreamSink {
    this.#setup.counts?.started(stream.connection);
    try {
      const fields = callFields(head);
      if (fields !== undefined) return this.#call(stream, head, fields);
      stream.end(head.method === "POST" ? NOT_GRPC : NOT_POST);
      this.#setup.counts?.ended(stream.connection, status.UNKNOWN);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#refuse(stream, { code: error.code, details: error.message });
    }
    return stream.sink;
  }

  #call(stream: Stream, head: RequestHead, fields: CallFields): StreamSink {
    const method = this.#methods.get(head.path);
    if (method === undefined) {
      const details = `The server does not implement the method ${head.path.slice(0, 200)}`;
      this.#refuse(stream, { code: status.UNIMPLEMENTED, details });
      return stream.sink;
    }
    const about = { setup: this.#setup, host: head.authority, fields };
    if (!method.requestStream && !method.responseStream) {
      return new UnaryCall(stream, method, about);
    }
    const call = new StreamingCall(stream, method, about);
    stream.sink = call;
    call.begin();
    return call;
  }

  #refuse(stream: Stream, failure: Failure): void {
    stream.end(failureFields(failure, false));
    this.#setup.counts?.ended(stream.connection, failure.code);
  }
}
