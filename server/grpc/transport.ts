// What grpc-js has no public way to ask of a call: its HTTP/2 stream, so that it can be reset.
//
// grpc-js sends a status after everything that was written before, so to a peer that reads nothing
// it is never sent, and what is buffered for it is never freed. A reset is not held up. The stream
// is a private field, so this is the one file that reads it, and it does without if it is not
// there; request-timer.test.ts turns red when a new version of grpc-js has moved it.

import { constants, type ServerHttp2Stream } from "node:http2";
import type { ServerInterceptingCallInterface, StatusObject } from "@grpc/grpc-js";

/** What there is to a call whose answers are a stream, for whoever writes them. */
export interface WritingCall<Message> {
  /** The call is over, however it ended; "cancelled" is emitted then. */
  readonly cancelled: boolean;
  once(event: "cancelled", listener: () => void): unknown;
  /** Calls back once the transport has taken the message, or never will. */
  write(message: Message, taken: () => void): boolean;
  emit(event: "error", status: StatusObject): boolean;
  /** Frees the call. grpc-js's calls have none. */
  reset?(): void;
}

/** Drops the request of a call that goes on for long: it can be as large as any request. */
export function releaseRequest(call: object): void {
  Reflect.set(call, "request", undefined);
}

/** The HTTP/2 stream of a call as an interceptor sees it. */
export function http2StreamOf(
  call: ServerInterceptingCallInterface,
): ServerHttp2Stream | undefined {
  const stream: unknown = Reflect.get(call, "stream");
  return isHttp2Stream(stream) ? stream : undefined;
}

/** The call as an interceptor sees it, from the one that a handler gets. */
export function interceptingCallOf(call: object): ServerInterceptingCallInterface | undefined {
  const inner: unknown = Reflect.get(call, "call");
  return isInterceptingCall(inner) ? inner : undefined;
}

/**
 * Where frames of a call can be written without grpc-js, which sends one message at a time and
 * waits until each has left: its HTTP/2 stream, once grpc-js has sent the headers.
 */
export function frameSinkOf(call: WritingCall<never>): ServerHttp2Stream | undefined {
  const inner = interceptingCallOf(call);
  const stream = inner && http2StreamOf(inner);
  return stream !== undefined && typeof stream.write === "function" ? stream : undefined;
}

/** Sends the status that ends a call, after all that was written. */
export function endWithStatus(call: WritingCall<never>, status: StatusObject): void {
  call.emit("error", status);
}

/** Frees a call whose peer does not read. Most clients show it as RESOURCE_EXHAUSTED. */
export function resetCall(call: WritingCall<never>): void {
  call.reset?.();
  const inner = interceptingCallOf(call);
  const stream = inner && http2StreamOf(inner);
  stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

function isHttp2Stream(value: unknown): value is ServerHttp2Stream {
  return typeof value === "object" && value !== null && "rstCode" in value && "close" in value;
}

function isInterceptingCall(value: unknown): value is ServerInterceptingCallInterface {
  return typeof value === "object" && value !== null && "sendStatus" in value;
}
