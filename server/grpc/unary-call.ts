// A call of one request and one answer, between grpc-js and its handler. It stands in the lines of
// those that time it, and gives the answer and its status to the transport in one go.
//
// grpc-js gives the status only once the transport has taken the answer. Here it follows at once:
// the stream keeps the order, so the peer sees the same, and the event loop turns once less. One
// object a call does all of it, because this is the path of every get and put (bench: get, put).

import type { ServerHttp2Stream } from "node:http2";
import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { DueLink } from "./due-line.js";

type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];
type Status = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/** Told of what becomes of calls. */
export interface CallTimes {
  /** The request is there, its end included. */
  arrived(call: UnaryCall): void;
  /** The stream is closed, however that came. */
  closed(call: UnaryCall): void;
}

export class UnaryCall
  extends DueLink<UnaryCall>
  implements ServerInterceptingCallInterface, Listener
{
  readonly stream: ServerHttp2Stream;
  /** It may be long in coming, and its answer is small. */
  readonly isPatient: boolean;
  readonly #call: ServerInterceptingCallInterface;
  readonly #times: CallTimes;
  #listener: Listener | undefined;

  constructor(options: {
    readonly call: ServerInterceptingCallInterface;
    readonly stream: ServerHttp2Stream;
    readonly isPatient: boolean;
    readonly times: CallTimes;
  }) {
    super();
    this.#call = options.call;
    this.#times = options.times;
    this.stream = options.stream;
    this.isPatient = options.isPatient;
    this.stream.on("close", () => this.#times.closed(this));
  }

  start(listener: Listener): void {
    this.#listener = listener;
    this.#call.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#listener?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.#listener?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    this.#times.arrived(this);
    this.#listener?.onReceiveHalfClose();
  }

  onCancel(): void {
    this.#listener?.onCancel();
  }

  sendMetadata(metadata: Metadata): void {
    this.#call.sendMetadata(metadata);
  }

  sendMessage(message: unknown, taken: () => void): void {
    this.#call.sendMessage(message, ignore);
    taken();
  }

  sendStatus(status: Status): void {
    this.#call.sendStatus(status);
  }

  startRead(): void {
    this.#call.startRead();
  }

  getPeer(): string {
    return this.#call.getPeer();
  }

  getDeadline() {
    return this.#call.getDeadline();
  }

  getHost(): string {
    return this.#call.getHost();
  }

  getAuthContext() {
    return this.#call.getAuthContext();
  }

  getConnectionInfo() {
    return this.#call.getConnectionInfo();
  }

  getMetricsRecorder() {
    return this.#call.getMetricsRecorder();
  }
}

function ignore(): void {}
