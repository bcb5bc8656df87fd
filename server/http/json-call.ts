// A call that comes over HTTP/1, in the shape in which handlers know calls.
//
// Its requests are what is read from it, its answers what is written to it: a line each, which is
// one chunk of the body, and taken when the socket has taken it. What it does not have, deadlines
// and trailing metadata, no handler asks for.

import type { ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { status } from "@grpc/grpc-js";
import type { Decoded } from "../grpc/codec.js";
import type { Failure } from "../grpc/service.js";
import { COMMON_HEADERS, JSON_TYPE } from "./answer.js";
import { failureLine, httpStatusOf } from "./json-status.js";

export interface JsonCallOptions {
  readonly jsonOf: (message: unknown) => string;
  /** What is told of an error of jsonOf(), with which the call ends. */
  readonly failureOf: (error: unknown) => Failure;
  /** Called when more requests are wanted. */
  readonly onWanted?: () => void;
}

export class JsonCall extends Duplex {
  /** Of a method with one request; handlers that go on for long drop it. */
  request: Decoded<unknown> | undefined;
  cancelled = false;
  readonly #response: ServerResponse;
  readonly #options: JsonCallOptions;
  #status: Failure = { code: status.OK, details: "" };

  constructor(response: ServerResponse, options: JsonCallOptions) {
    super({ objectMode: true, autoDestroy: false });
    this.#response = response;
    this.#options = options;
    response.once("close", () => this.#cancel());
    // To write to a call that has ended is no error.
    this.on("error", () => {});
  }

  /** What the peer calls this server. */
  getHost(): string {
    return this.#response.req.headers.host ?? "";
  }

  finish(): void {
    this.end();
  }

  fail(failure: Failure): void {
    this.#status = failure;
    this.end();
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
      this.#answer(this.#options.failureOf(error));
      taken();
    }
  }

  override _final(done: () => void): void {
    if (!this.#isOver) this.#answer(this.#status);
    done();
  }

  get #isOver(): boolean {
    return this.cancelled || this.#response.writableEnded;
  }

  #answer(failure: Failure): void {
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
