// A server of connections of HTTP/2 on a port of its own, whose requests a test answers. What it
// promises to whoever takes a request is checked all along: "closed" comes once and last, "end"
// once, and what a write calls back is called once. When the test ends, no call back may be owed.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { ExecutionContext } from "ava";
import { Connection } from "../../../server/http2/connection.js";
import type { RequestHead } from "../../../server/http2/request-head.js";
import type { HeaderField } from "../../../server/http2/static-table.js";
import type { Stream } from "../../../server/http2/stream.js";

export const HEAD: readonly HeaderField[] = [
  { name: ":status", value: "200" },
  { name: "content-type", value: "application/octet-stream" },
];
export const END: readonly HeaderField[] = [{ name: "x-end", value: "0" }];

/** A request, and what has come of it. */
export class Request {
  readonly stream: Stream;
  readonly head: RequestHead;
  readonly parts: Buffer[] = [];
  hasEnded = false;
  isClosed = false;
  /** Those that have not been called back. */
  writesOwed = 0;
  readonly #server: Http2Server;

  constructor(server: Http2Server, stream: Stream, head: RequestHead) {
    this.#server = server;
    this.stream = stream;
    this.head = head;
  }

  get path(): string {
    return this.head.path;
  }

  get bytes(): number {
    return this.parts.reduce((sum, { length }) => sum + length, 0);
  }

  write(bytes: Uint8Array): void {
    let isTaken = false;
    this.writesOwed += 1;
    this.stream.data(bytes, () => {
      if (isTaken) this.#server.problems.push("a write was taken twice");
      isTaken = true;
      this.writesOwed -= 1;
      this.#server.look();
    });
  }
}

export interface Http2ServerOptions {
  readonly streamsMax?: number;
  readonly monotonicMs?: () => number;
  /** A sink is the stream's before its request is told of. */
  readonly isEarly?: true;
  /** The test wants them; else they fail it. */
  readonly hasBugs?: true;
  /** A request has begun. */
  readonly onRequest?: (request: Request) => void;
  readonly onData?: (request: Request, bytes: Buffer) => void;
  readonly onEnd?: (request: Request) => void;
  readonly onClosed?: (request: Request) => void;
}

/** Answers with what it is sent, as it comes. */
export const ECHO: Http2ServerOptions = {
  onRequest: ({ stream }) => stream.head(HEAD),
  onData: (request, bytes) => request.write(Buffer.from(bytes)),
  onEnd: ({ stream }) => stream.end(END),
};

export class Http2Server {
  readonly requests: Request[] = [];
  readonly connections: Connection[] = [];
  readonly bugs: unknown[] = [];
  readonly problems: string[] = [];
  port = 0;
  #openSockets = 0;
  readonly #options: Http2ServerOptions;
  readonly #looks = new Set<() => void>();

  static async open(t: ExecutionContext, options: Http2ServerOptions = ECHO): Promise<Http2Server> {
    const server = new Http2Server(options);
    const listener = createServer({ noDelay: true }, (socket) => {
      server.connections.push(new Connection(socket, server.#connectionOptions()));
      socket.on("close", () => {
        server.#openSockets -= 1;
        server.look();
      });
      server.#openSockets += 1;
      server.look();
    }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    server.port = (listener.address() as AddressInfo).port;
    t.teardown(async () => {
      listener.close();
      for (const { socket } of server.connections) socket.destroy();
      await server.until(() => server.#openSockets === 0);
      await server.until(() => server.requests.every(({ writesOwed }) => writesOwed === 0));
      const open = server.requests.filter(({ isClosed }) => !isClosed).length;
      if (open > 0) server.problems.push(`${open} streams were never closed`);
      if (options.hasBugs !== true) server.problems.push(...server.bugs.map(String));
      if (server.problems.length > 0) throw new Error(server.problems.slice(0, 5).join("; "));
    });
    return server;
  }

  private constructor(options: Http2ServerOptions) {
    this.#options = options;
  }

  /** Settles when it is so. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  async request(path: string): Promise<Request> {
    const find = () => this.requests.find((each) => each.path === path);
    await this.until(() => find() !== undefined);
    return find() as Request;
  }

  look(): void {
    for (const look of this.#looks) look();
  }

  #connectionOptions() {
    const { streamsMax = 100, monotonicMs = () => 0 } = this.#options;
    return {
      streamsMax,
      monotonicMs,
      usualFields: [HEAD, END],
      onRequest: (stream: Stream, head: RequestHead) => this.#begin(stream, head),
      onBug: (error: unknown) => {
        this.bugs.push(error);
        this.look();
      },
    };
  }

  #begin(stream: Stream, head: RequestHead) {
    const request = new Request(this, stream, head);
    this.requests.push(request);
    const { onRequest, onData, onEnd, onClosed, isEarly } = this.#options;
    const sink = {
      data: (bytes: Buffer) => {
        this.#mayHear(request, "data");
        request.parts.push(Buffer.from(bytes));
        onData?.(request, bytes);
        this.look();
      },
      end: () => {
        this.#mayHear(request, "its end");
        request.hasEnded = true;
        onEnd?.(request);
        this.look();
      },
      closed: () => {
        if (request.isClosed) this.problems.push("a stream was closed twice");
        request.isClosed = true;
        onClosed?.(request);
        this.look();
      },
    };
    if (isEarly === true) stream.sink = sink;
    try {
      onRequest?.(request);
    } catch (error) {
      // There is no sink to tell.
      request.isClosed = true;
      throw error;
    }
    this.look();
    return sink;
  }

  #mayHear(request: Request, what: string): void {
    if (request.isClosed) this.problems.push(`a stream that was closed got ${what}`);
    if (request.hasEnded) this.problems.push(`a request that had ended got ${what}`);
  }
}
