// A call of one request and one answer, from its head to its end. It stands in the lines of those
// that time it. One object a call does all of it, because this is the path of every get and put
// (bench: get, put).

import { status } from "@grpc/grpc-js";
import type { Stream, StreamSink } from "../http2/stream.js";
import type { Timer } from "../lib/clock.js";
import { DueLink } from "../lib/due-line.js";
import { CallError, halfMessage, noMessage, secondMessage } from "./call-error.js";
import { failureFields, GOOD_END, HEAD } from "./call-fields.js";
import type { CallSetup, CallStart } from "./call-setup.js";
import { prefixOf } from "./frame.js";
import { MessageReader } from "./message-reader.js";
import type { ServedMethod } from "./served-methods.js";
import type { Failure, UnaryRequest } from "./service.js";

export class UnaryCall extends DueLink<UnaryCall> implements StreamSink, UnaryRequest<unknown> {
  readonly stream: Stream;
  /** It may be long in coming, and its answer is small. */
  readonly isPatient: boolean;
  cancelled = false;
  request: unknown;
  readonly #method: ServedMethod;
  readonly #setup: CallSetup;
  readonly #host: string;
  readonly #reader: MessageReader;
  readonly #timeoutMs: number | undefined;
  #message: Buffer | undefined;
  #isAnswered = false;
  #code = status.CANCELLED;
  #deadline: Timer | undefined;
  #listeners: (() => void)[] | undefined;

  constructor(stream: Stream, method: ServedMethod, { setup, host, fields }: CallStart) {
    super();
    this.stream = stream;
    this.isPatient = method.isPatient;
    this.#method = method;
    this.#setup = setup;
    this.#host = host;
    this.#timeoutMs = fields.timeoutMs;
    this.#reader = new MessageReader({
      maxBytes: setup.messageMaxBytes,
      encoding: fields.encoding,
    });
    stream.sink = this;
    setup.timer.arriving(this);
  }

  data(bytes: Buffer): void {
    if (this.#isAnswered) return;
    try {
      this.#reader.push(bytes);
      this.#look();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #look(): void {
    const message = this.#reader.next();
    if (message === undefined) return;
    if (this.#message !== undefined) throw secondMessage();
    this.#message = message;
    this.#setup.counts?.received(this.stream.connection);
    if (!this.#reader.isEmpty) this.#look();
  }

  end(): void {
    if (this.#isAnswered) return;
    const message = this.#message;
    this.#message = undefined;
    if (message === undefined || !this.#reader.isEmpty) {
      this.#refuse(this.#reader.isEmpty ? noMessage() : halfMessage());
      return;
    }
    this.#setup.timer.arrived(this);
    try {
      this.request = this.#method.decode(message);
      this.#method.handle(this, this.#answer);
    } catch (error) {
      this.#refuse(error);
    }
    if (!this.#isAnswered) this.#setDeadline();
  }

  closed(): void {
    this.#isAnswered = true;
    this.cancelled = true;
    const { counts } = this.#setup;
    const { stream } = this;
    counts?.ended(stream.connection, stream.isWaiting ? status.CANCELLED : this.#code);
    this.line?.delete(this);
    this.#deadline?.cancel();
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener();
  }

  once(_event: "cancelled", listener: () => void): void {
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  getHost(): string {
    return this.#host;
  }

  fail(failure: Failure): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#code = failure.code;
    this.stream.end(failureFields(failure, false));
  }

  readonly #answer = (failure: Failure | null, response?: unknown): void => {
    if (failure !== null) this.fail(failure);
    else if (!this.#isAnswered) this.#send(response);
  };

  #send(response: unknown): void {
    let bytes: Buffer;
    try {
      bytes = this.#method.encode(response);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#isAnswered = true;
    this.#code = status.OK;
    const { stream } = this;
    this.#setup.counts?.sent(stream.connection);
    stream.head(HEAD);
    stream.data(prefixOf(bytes));
    stream.data(bytes);
    stream.end(GOOD_END);
  }

  /** An error of the peer's has its code; any other is ours. */
  #refuse(error: unknown): void {
    if (error instanceof CallError) this.fail({ code: error.code, details: error.message });
    else this.fail(this.#setup.failureOf(error));
  }

  #setDeadline(): void {
    if (this.#timeoutMs === undefined || this.cancelled) return;
    this.#deadline = this.#setup.deadline(this.#timeoutMs, () =>
      this.fail({ code: status.DEADLINE_EXCEEDED, details: "Deadline exceeded" }),
    );
  }
}
