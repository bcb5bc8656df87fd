// A call that comes over HTTP/1, in the shape in which grpc-js hands one to a handler.
//
// Its requests are what is read from it, its answers what is written to it: a line each, which is
// one chunk of the body, and taken when the socket has taken it. What it does not have, deadlines
// and trailing metadata, no handler asks for.

import type { ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { Decoded } from "../grpc/codec.js";
import { COMMON_HEADERS, JSON_TYPE } from "./answer.js";
import { failureLine, httpStatusOf } from "./json-status.js";

export interface JsonCallOptions {
  readonly jsonOf: (message: unknown) => string;
  /** What is told of an error of jsonOf(), with which the call ends. */
  readonly failureOf: (error: unknown) => Partial<StatusObject>;
  /** Called when more requests are wanted. */
  readonly onWanted?: () => void;
}

export class JsonCall extends Duplex {
  readonly metadata = new Metadata();
  /** Of a method with one request; handlers that go on for long drop it. */
  request: Decoded<unknown> | undefined;
  cancelled = false;
  readonly #response: ServerResponse;
  readonly #options: JsonCallOptions;
  #status: Partial<StatusObject> = { code: status.OK };

  constructor(response: ServerResponse, options: JsonCallOptions) {
    super({ objectMode: true, autoDestroy: false });
    this.#response = response;
    this.#options = options;
    const { authorization } = response.req.headers;
    if (authorization !== undefined) this.metadata.set("authorization", authorization);
    response.once("close", () => this.#cancel());
    this.on("error", (failure: Partial<StatusObject>) => {
      this.#status = failure;
      this.end();
    });
  }

  /** What the peer calls this server. */
  getHost(): string {
    return this.#response.req.headers.host ?? "";
  }

  getPeer(): string {
    const { remoteAddress, remotePort } = this.#response.req.socket;
    return remoteAddress === undefined ? "unix:" : `${remoteAddress}:${remotePort}`;
  }

  /** Ends it without another word. */
  reset(): void {
    this.#response.destroy();
  }

  override _read(): void {
    this.#options.onWanted?.();
  }

  override _write(message: unknown, _encoding: string, taken: () => void): void {
    if (this.#isOver) {
      taken();
      return;
    }
    try {
      const line = `{"result":${this.#options.jsonOf(message)}}\n`;
      this.#begin(200);
      this.#response.write(line, () => taken());
    } catch (error) {
      this.#finish(this.#options.failureOf(error));
      taken();
    }
  }

  override _final(done: () => void): void {
    if (!this.#isOver) this.#finish(this.#status);
    done();
  }

  get #isOver(): boolean {
    return this.cancelled || this.#response.writableEnded;
  }

  #finish(failure: Partial<StatusObject>): void {
    this.#begin(httpStatusOf(failure));
    this.#response.end(failure.code === status.OK ? "" : failureLine(failure));
  }

  #begin(httpStatus: number): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(httpStatus, { ...COMMON_HEADERS, "content-type": JSON_TYPE });
  }

  /** Over, however it ended. */
  #cancel(): void {
    this.cancelled = true;
    this.emit("cancelled", "cancelled");
    this.destroy();
  }
}
