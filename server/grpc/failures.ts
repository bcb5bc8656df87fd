// What becomes of the errors that a call ends with.
//
// A KvdError is the caller's matter or the data's: it becomes a status and is not logged. Anything
// else is a fault of ours: the caller gets INTERNAL without details, and it is logged.

import { AssertionError } from "node:assert";
import { status } from "@grpc/grpc-js";
import { KvdError } from "../kv/errors.js";
import type { Logger } from "../lib/logger.js";
import type { Failure } from "./service.js";

/** The status for whatever a call has thrown; each surface has its own. */
export type StatusOf = (error: unknown) => Failure;

/** A surface's table for KvdErrors, made to take all that is thrown. */
export function statusesFrom(table: (error: KvdError) => Failure, logger: Logger): StatusOf {
  return (error) => {
    if (error instanceof KvdError) return table(error);
    reportBug(error, logger);
    return { code: status.INTERNAL, details: "internal error" };
  };
}

/** A broken invariant ends the process, too: a wrong store must not keep serving. */
export function reportBug(error: unknown, logger: Logger): void {
  logger.error({ err: error }, "an error of kvd's own");
  if (!(error instanceof AssertionError)) return;
  setImmediate(() => {
    throw error;
  });
}

/** A status must fit a peer's header list, 8 KiB or 16 KiB with everything. */
const TEXT_MAX_CHARACTERS = 1000;

/** A text that fits a header. A lone surrogate in one would end the process. */
export function shortText(text: string): string {
  const cut = text.length > TEXT_MAX_CHARACTERS ? `${text.slice(0, TEXT_MAX_CHARACTERS)}…` : text;
  return Buffer.from(cut, "utf8").toString("utf8");
}
