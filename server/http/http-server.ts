// HTTP/1 on connections that are handed to it; it does not listen.
//
// One request of a connection runs at a time, the next ones wait. A connection has a bounded time
// to send the headers of a request, from its beginning or from its last answer on; an answer that
// is complete has a bounded time to be taken. A stop lets what runs finish, for a bounded time.
//
// While a request waits its bytes may fill the connection, and a peer that hangs up is not noticed
// behind them. So none waits for long, behind a watch or for a lock: such a connection is cut.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { reportBug } from "../grpc/failures.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import { DueList } from "../lib/due-list.js";
import type { Logger } from "../lib/logger.js";

export interface HttpServerOptions {
  /** What it rejects with is an error of ours. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Longer headers are refused: 431. */
const HEADERS_MAX_BYTES = 16 * 1024;

/** A connection with more requests that wait for the one that runs is cut. */
const WAITING_MAX = 100;

/** A peer that vanished is noticed after some minutes, by the system. */
const KEEPALIVE_TIME_MS = 60_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  /** What each connection has asked for, the one that runs first. */
  readonly #connections = new Map<Socket, Exchange[]>();
  readonly #resting: DueList<Socket>;
  /** Those whose next request waits for the one that runs. */
  readonly #waiting: DueList<Socket>;
  readonly #answering: DueList<ServerResponse>;
  #onIdle: (() => void) | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { limits, clock } = options;
    const cut = (socket: Socket) => socket.destroy();
    this.#resting = new DueList({ maxMs: limits.requestMaxMs, clock, onDue: cut });
    this.#waiting = new DueList({ maxMs: limits.requestMaxMs, clock, onDue: cut });
    this.#answering = new DueList({
      maxMs: limits.watcherIdleMaxMs,
      clock,
      onDue: (response) => response.destroy(),
    });
    // Its own timers do not run, because it does not listen; peers are told the same time.
    this.#server = createServer({
      maxHeaderSize: HEADERS_MAX_BYTES,
      keepAliveTimeout: limits.requestMaxMs,
    });
    this.#server.on("request", (request, response) => this.#take({ request, response }));
    this.#server.on("clientError", (error, socket) => this.#refuse(error, socket as Socket));
  }

  /** Open connections. */
  get size(): number {
    return this.#connections.size;
  }

  accept(socket: Socket): void {
    this.#connections.set(socket, []);
    this.#resting.begin(socket);
    socket.setKeepAlive(true, KEEPALIVE_TIME_MS);
    socket.once("close", () => {
      this.#connections.delete(socket);
      this.#resting.delete(socket);
      this.#waiting.delete(socket);
      if (this.#connections.size === 0) this.#onIdle?.();
    });
    this.#server.emit("connection", socket);
  }

  /** Settles when every connection is closed, `graceMs` after it was called at the latest. */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    const { clock, logger } = this.#options;
    await new Promise<void>((resolve) => {
      const cut = clock.setTimer(graceMs, () => {
        logger.warn({ graceMs }, "calls over HTTP/1 that still ran were cut (--shutdown-grace)");
        for (const socket of this.#connections.keys()) socket.destroy();
      });
      this.#onIdle = () => {
        cut.cancel();
        resolve();
      };
      for (const [socket, exchanges] of this.#connections) {
        if (exchanges.length === 0) socket.destroy();
      }
      if (this.#connections.size === 0) this.#onIdle();
    });
    this.#resting.close();
    this.#waiting.close();
    this.#answering.close();
  }

  #take(exchange: Exchange): void {
    const { socket } = exchange.request;
    const exchanges = this.#connections.get(socket);
    if (exchanges === undefined) return;
    this.#resting.delete(socket);
    exchanges.push(exchange);
    if (exchanges.length > WAITING_MAX) socket.destroy();
    else if (exchanges.length === 1) this.#run(exchange, exchanges);
    else if (!this.#waiting.has(socket)) this.#waiting.begin(socket);
  }

  #run(exchange: Exchange, exchanges: Exchange[]): void {
    const { request, response } = exchange;
    response.once("prefinish", () => this.#answering.begin(response));
    response.once("close", () => {
      this.#answering.delete(response);
      this.#ended(request.socket, exchanges);
    });
    const { serve, logger } = this.#options;
    serve(request, response).catch((error: unknown) => {
      reportBug(error, logger);
      response.destroy();
    });
  }

  #ended(socket: Socket, exchanges: Exchange[]): void {
    exchanges.shift();
    const [next, afterNext] = exchanges;
    this.#waiting.delete(socket);
    if (socket.destroyed) return;
    if (afterNext !== undefined) this.#waiting.begin(socket);
    if (this.#onIdle !== undefined) socket.destroySoon();
    else if (next !== undefined) this.#run(next, exchanges);
    else this.#resting.begin(socket);
  }

  /** What is no HTTP is told once, in the words of HTTP. */
  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const isBusy = (this.#connections.get(socket)?.length ?? 0) > 0;
    if (isBusy || !socket.writable) {
      socket.destroy();
      return;
    }
    const isLong = error.code === "HPE_HEADER_OVERFLOW";
    const status = isLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
    const text = isLong ? TOO_LONG : NO_HTTP;
    const headers = `Content-Type: text/plain\r\nContent-Length: ${text.length}\r\n`;
    socket.write(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\n\r\n${text}`);
    socket.destroySoon();
  }
}

const TOO_LONG = `kvd: the headers have more than ${HEADERS_MAX_BYTES} bytes.\n`;
const NO_HTTP =
  "kvd: this port speaks gRPC (HTTP/2, without TLS) and HTTP/1.1, and this was neither.\n";
