// What is wrong with a call before any handler has seen it.

import { status } from "@grpc/grpc-js";

export class CallError extends Error {
  readonly code: status;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
  }
}

/** For a method that takes one. */
export function secondMessage(): CallError {
  return new CallError(status.UNIMPLEMENTED, "Received a second request message");
}

export function noMessage(): CallError {
  return new CallError(status.UNIMPLEMENTED, "Received no request message");
}

export function halfMessage(): CallError {
  return new CallError(status.INTERNAL, "Received half a request message");
}
