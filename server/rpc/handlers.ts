// Unary calls as asynchronous functions: the one place where errors become statuses.
//
// A KvdError is the caller's matter or the data's: it becomes a status and is not logged. Anything
// else is a fault of ours: the caller gets INTERNAL without details, and `onBug` decides what
// becomes of the process.

import type { handleUnaryCall } from "@grpc/grpc-js";
import { KvdError } from "../kv/errors.js";
import type { AnswerRooms } from "./answer-room.js";
import type { Decoded } from "./codec.js";
import { internalStatus, statusFromError } from "./status.js";
import { http2StreamOf, interceptingCallOf } from "./transport.js";

export type OnBug = (error: unknown) => void;

export function unary<Request, Response>(
  onBug: OnBug,
  handle: (request: Request) => Promise<Response>,
): handleUnaryCall<Decoded<Request>, Response> {
  return (call, callback) => {
    const { request } = call;
    if (!request.ok) {
      callback(statusFromError(request.error));
      return;
    }
    handle(request.message).then(
      (response) => callback(null, response),
      (error: unknown) => callback(statusFromFailure(error, onBug)),
    );
  };
}

/** The same for calls that may have a large answer: they wait while their peer takes none. */
export function unaryInTurn<Request, Response>(
  rooms: AnswerRooms,
  onBug: OnBug,
  handle: (request: Request) => Promise<Response>,
): handleUnaryCall<Decoded<Request>, Response> {
  const run = unary(onBug, handle);
  return (call, callback) => {
    const inner = interceptingCallOf(call);
    rooms.enter(inner && http2StreamOf(inner), (answered) => {
      run(call, (...answer) => {
        callback(...answer);
        answered();
      });
    });
  };
}

/** The status for whatever a handler threw. */
export function statusFromFailure(error: unknown, onBug: OnBug) {
  if (error instanceof KvdError) return statusFromError(error);
  onBug(error);
  return internalStatus();
}
