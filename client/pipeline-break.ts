// What becomes of the calls whose stream ended before their answers came.
//
// kvd says, with its reason, how many messages of the stream it had begun (requests_begun): what
// came after them did nothing, and may be sent again, writes too. Of the others, and when nobody
// says so, a write may have happened, and rejects; what only reads is sent again as a call of its
// own would be. A message that was refused as a whole goes in parts.

import type { StatusObject } from "@grpc/grpc-js";
import type { Calls } from "./calls.js";
import { errorFromStatus, KvdClientError } from "./errors.js";
import type { Flight } from "./pipeline-line.js";
import type { Single } from "./single.js";

export interface Aftermath {
  /** To be sent again, in this order. */
  readonly again: Single[];
  /** To be sent as calls of their own: their message failed, perhaps not because of them. */
  readonly alone: Single[];
  readonly failed: { readonly single: Single; readonly error: () => Error }[];
  /** How many operations the message had that was too much as a whole. */
  tooMany: number | undefined;
}

type Fate = "again" | "alone" | "fail" | "lost";

interface Break {
  readonly error: KvdClientError;
  /** Messages that the server began; undefined: nobody knows. */
  readonly begun: number | undefined;
  /** Of those, how many have no answer. */
  readonly unanswered: number;
  readonly retry: boolean;
}

export function aftermathOf(
  status: StatusObject,
  flights: readonly Flight[],
  calls: Pick<Calls, "describe" | "retry">,
): Aftermath {
  const error = errorFromStatus(status, calls.describe("Pipeline"));
  const begun = begunOf(error);
  const unanswered = flights.filter(({ number }) => number <= (begun ?? 0)).length;
  const broken = { error, begun, unanswered, retry: calls.retry };
  const aftermath: Aftermath = { again: [], alone: [], failed: [], tooMany: undefined };
  for (const flight of flights) {
    const refused = isRefused(flight, broken);
    if (refused && flight.singles.length > 1) aftermath.tooMany = flight.singles.length;
    for (const single of flight.singles) {
      const fate = refused ? fateOfRefused(flight) : fateOf(single, flight, broken);
      if (fate === "again" || fate === "alone") {
        aftermath[fate].push(single);
        continue;
      }
      const what = calls.describe(single.method.name);
      const told = () => (fate === "lost" ? lostError(what, error) : errorFromStatus(status, what));
      aftermath.failed.push({ single, error: told });
    }
  }
  return aftermath;
}

function begunOf({ metadata }: KvdClientError): number | undefined {
  const begun = Number(metadata["requests_begun"] ?? Number.NaN);
  return Number.isSafeInteger(begun) ? begun : undefined;
}

/** The message that ended the stream, because the server would not have it. */
function isRefused({ number }: Flight, { error, begun }: Break): boolean {
  return begun !== undefined && number === begun + 1 && error.code !== "UNAVAILABLE";
}

function fateOfRefused({ singles }: Flight): Fate {
  return singles.length > 1 ? "again" : "alone";
}

function fateOf(single: Single, { number }: Flight, broken: Break): Fate {
  const { error, begun, unanswered, retry } = broken;
  const unavailable = error.code === "UNAVAILABLE";
  if (begun !== undefined && number > begun) {
    if (unavailable && !retry) return "fail";
    // The one that found the disk failed: a write by itself would not be tried twice, either.
    const refused = number === begun + 1 && error.reason === "LOG_FAILED";
    return refused && !single.reads ? "fail" : "again";
  }
  if (single.reads) {
    if (unavailable) return retry ? "again" : "fail";
    // Somebody else's write, or somebody else's large value.
    const others = begun !== undefined || error.code === "RESOURCE_EXHAUSTED";
    return others ? "alone" : "fail";
  }
  // It was begun, or nobody knows; a reason would say that it changed nothing.
  if (error.reason === undefined || error.reason === "LOG_FAILED") return "fail";
  return error.reason !== "SHUTTING_DOWN" && unanswered === 1 ? "fail" : "lost";
}

function lostError(what: string, cause: KvdClientError): KvdClientError {
  return new KvdClientError("UNAVAILABLE", `${what}: the stream ended before the answer came`, {
    cause,
  });
}
