// How calls that fail are told over HTTP/1: the status of HTTP for each code, and the bodies.
//
// etcd's gateway has changed its bodies over the versions; these have the fields of all of them.

import { STATUS_CODES } from "node:http";
import { status } from "@grpc/grpc-js";
import type { Failure } from "../grpc/service.js";
import { type Answer, JSON_TYPE } from "./answer.js";

const HTTP_STATUS: { readonly [code in status]: number } = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};

export function httpStatusOf(failure: Failure): number {
  return HTTP_STATUS[failure.code];
}

/** The answer of a call that has one answer. */
export function failureAnswer(failure: Failure): Answer {
  const { code, details: message } = failure;
  const body = { error: message, message, code, details: [] };
  return { status: httpStatusOf(failure), text: JSON.stringify(body), type: JSON_TYPE };
}

/** The last line of a stream. */
export function failureLine(failure: Failure): string {
  const { code, details: message } = failure;
  const http = httpStatusOf(failure);
  const older = { grpc_code: code, http_code: http, http_status: STATUS_CODES[http] };
  return `${JSON.stringify({ error: { code, message, details: [], ...older } })}\n`;
}
