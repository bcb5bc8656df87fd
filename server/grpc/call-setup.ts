// What all calls of a server share.

import type { status } from "@grpc/grpc-js";
import type { Connection } from "../http2/connection.js";
import type { Timer } from "../lib/clock.js";
import type { CallFields } from "./call-fields.js";
import type { RequestTimer } from "./request-timer.js";
import type { Failure } from "./service.js";

/** Told of every connection, and of all that comes on it and is meant as a call. */
export interface CallCounts {
  opened(connection: Connection): void;
  started(connection: Connection): void;
  /** Once for each that has started: with its status, or CANCELLED when that could not be sent. */
  ended(connection: Connection, code: status): void;
  /** A message. */
  received(connection: Connection): void;
  sent(connection: Connection): void;
}

/** How a call begins. */
export interface CallStart {
  readonly setup: CallSetup;
  /** As its caller calls the server. */
  readonly host: string;
  readonly fields: CallFields;
}

export interface CallSetup {
  readonly timer: RequestTimer;
  /** Larger messages are refused before anybody looks at them. */
  readonly messageMaxBytes: number;
  /** Calls back when the caller does not wait any more. */
  readonly deadline: (timeoutMs: number, passed: () => void) => Timer;
  /** What a call ends with that has met an error of ours. */
  readonly failureOf: (error: unknown) => Failure;
  readonly counts: CallCounts | undefined;
}
