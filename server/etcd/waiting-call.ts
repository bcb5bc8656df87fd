// Calls of etcd's lock and election services: those that wait for others, and how all of them fail.

import { status } from "@grpc/grpc-js";
import type { Decoded } from "../grpc/codec.js";
import type { StatusOf } from "../grpc/failures.js";
import { unary } from "../grpc/handlers.js";
import type { OpenStreams } from "../grpc/open-streams.js";
import type { UnaryHandler } from "../grpc/service.js";
import { EtcdError } from "./status.js";

export interface WithdrawableCall {
  readonly cancelled: boolean;
  once(event: "cancelled", listener: () => void): unknown;
}

/** Aborts when the caller withdraws, and with SHUTTING_DOWN when the server stops. */
export function signalOf(call: WithdrawableCall, streams: OpenStreams): AbortSignal {
  const controller = new AbortController();
  const withdraw = () => controller.abort(new EtcdError(status.CANCELLED, "context canceled"));
  call.once("cancelled", withdraw);
  if (call.cancelled) withdraw();
  streams.add(call, { stop: (error) => controller.abort(error) });
  return controller.signal;
}

/** A unary call that waits until its signal aborts. */
export function waitingUnary<Request, Response>(
  { statusOf, streams }: { readonly statusOf: StatusOf; readonly streams: OpenStreams },
  handle: (request: Request, signal: AbortSignal) => Promise<Response>,
): UnaryHandler<Decoded<Request>, Response> {
  return (call, callback) => {
    const signal = signalOf(call, streams);
    unary(statusOf, (request: Request) => handle(request, signal))(call, callback);
  };
}

const KEPT: readonly status[] = [
  status.CANCELLED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
];

/** etcd's lock and election services tell a refusal by its text, and lose its code. */
export function withoutCode(statusOf: StatusOf): StatusOf {
  return (error) => {
    const told = statusOf(error);
    return KEPT.includes(told.code) ? told : { ...told, code: status.UNKNOWN };
  };
}
