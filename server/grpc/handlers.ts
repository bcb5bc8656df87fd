// Unary calls as functions that answer at once, or with a promise. What they throw becomes a status
// by their surface's table.

import type { AnswerRooms } from "./answer-room.js";
import type { Decoded } from "./codec.js";
import type { StatusOf } from "./failures.js";
import type { Call, UnaryHandler } from "./service.js";

export function unary<Request, Response>(
  statusOf: StatusOf,
  handle: (request: Request, call: Call) => Response | Promise<Response>,
): UnaryHandler<Decoded<Request>, Response> {
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
): UnaryHandler<Decoded<Request>, Response> {
  const run = unary(statusOf, handle);
  return (call, callback) => {
    rooms.enter(call.stream, (answered) => {
      run(call, (...answer) => {
        callback(...answer);
        answered();
      });
    });
  };
}
