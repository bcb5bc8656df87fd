// Services, and calls as their handlers see them, whoever carries them: gRPC, or the JSON gateway.

import type { Metadata, ServiceDefinition, status } from "@grpc/grpc-js";
import type { Stream } from "../http2/stream.js";

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly handlers: object;
  /** Methods of one answer that may let their caller wait for it as long as it takes. */
  readonly waits?: readonly string[];
}

/** By the names of the methods in the definition. */
export type Handlers = Readonly<Record<string, unknown>>;

/** What a call ends with that has failed. */
export interface Failure {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

export interface Call {
  /** The call is over, however it ended; "cancelled" is emitted then, once. */
  readonly cancelled: boolean;
  once(event: "cancelled", listener: () => void): unknown;
  /** The name under which the caller has called the server: `:authority`. */
  getHost(): string;
  /** Of HTTP/2; a call of the JSON gateway has none. */
  readonly stream?: Stream;
}

/** A call of one request and one answer. */
export interface UnaryRequest<Request> extends Call {
  readonly request: Request;
}

export type UnaryHandler<Request, Response> = (
  call: UnaryRequest<Request>,
  answer: (failure: Failure | null, response?: Response) => void,
) => void;

/** A call whose answers are a stream, for whoever writes them. */
export interface WritingCall<Response> extends Pick<Call, "cancelled" | "once"> {
  /** Calls back once the transport has taken the message, or never will. */
  write(message: Response, taken?: () => void): unknown;
  /** The same for a message with gRPC's five bytes in front; only gRPC's calls have it. */
  writeFrame?(frame: Uint8Array, taken: () => void): void;
  /** Ends the call well, after all that was written. */
  finish(): void;
  /** The same, with a status. */
  fail(failure: Failure): void;
  /** Ends the call at once: its peer takes nothing. */
  reset(): void;
}

/** A call of one request and a stream of answers. */
export interface AnsweringCall<Request, Response> extends WritingCall<Response> {
  readonly request: Request;
}

/** A call of two streams. */
export interface DuplexCall<Request, Response> extends WritingCall<Response> {
  on(event: "data", listener: (request: Request) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  /** No request comes until resume(). */
  pause(): unknown;
  resume(): unknown;
}

/** Drops the request of a call that goes on for long: it can be as large as any request. */
export function releaseRequest(call: { readonly request: unknown }): void {
  Reflect.set(call, "request", undefined);
}
