// Unary calls as functions that answer at once, or with a promise. What they throw becomes a status
// by their surface's table.

import type { handleUnaryCall } from "@grpc/grpc-js";
import type { AnswerRooms } from "./answer-room.js";
import type { Decoded } from "./codec.js";
import type { StatusOf } from "./failures.js";
import { http2StreamOf, interceptingCallOf } from "./transport.js";

/** What a handler may want to know of its call. */
export interface CallFacts {
  /** The name under which the caller has called the server: `:authority`. */
  getHost(): string;
}

export function unary<Request, Response>(
  statusOf: StatusOf,
  handle: (request: Request, call: CallFacts) => Response | Promise<Response>,
): handleUnaryCall<Decoded<Request>, Response> {
  return (call, callback) => {
    const { request } = call;
    let answer: Response | Promise<Response>;
    try {
      if (!request.ok) throw request.error;
      answer = handle(request.message, call);
    } catch (error) {
      callback(statusOf(error));
      return;
    }
    if (answer instanceof Promise) {
      answer.then(
        (response) => callback(null, response),
        (error: unknown) => callback(statusOf(error)),
      );
    } else {
      callback(null, answer);
    }
  };
}

/** What becomes of a result that may be there already; without a promise of its own if it is. */
export function then<Result, Response>(
  result: Result | Promise<Result>,
  use: (result: Result) => Response,
): Response | Promise<Response> {
  return result instanceof Promise ? result.then(use) : use(result);
}

/** The same for calls that may have a large answer: they wait while their peer takes none. */
export function unaryInTurn<Request, Response>(
  rooms: AnswerRooms,
  statusOf: StatusOf,
  handle: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Decoded<Request>, Response> {
  const run = unary(statusOf, handle);
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
