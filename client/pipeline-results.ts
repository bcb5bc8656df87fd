// What became of the operations of a message that was answered. A Failure says less than the status
// of a call: what it leaves out is worked out from the results around it, or the call is made again
// by itself, which can do no harm, because an operation that failed has changed nothing.

import {
  type BatchResult,
  type Failure,
  GetRequest,
  type PipelineResponse,
} from "../gen/grpc/kvd/v1/kv.js";
import type { Calls } from "./calls.js";
import { decodeMessage, encodeMessage } from "./codec.js";
import { errorFromInfo, KvdClientError, type Reason, reasonName } from "./errors.js";
import { codeOfReason } from "./reason-codes.js";
import type { Single, Waiter } from "./single.js";

/** Reasons whose facts are in no Failure, or that a call by itself may not meet. */
const ASKED_AGAIN: ReadonlySet<Reason> = new Set([
  "FIELD_CONFLICT",
  "FIELD_MISSING",
  "REVISION_COMPACTED",
  "RESULT_TOO_LARGE",
]);

/** Settles the calls of a message, in order. */
export function settle(singles: readonly Single[], response: PipelineResponse, calls: Calls): void {
  const { results } = response;
  const shared = singles.length > 1;
  for (const [index, single] of singles.entries()) {
    const result = results[index]?.result;
    if (result?.$case === single.kind) single.answer(result.value, { shared });
    else if (result?.$case === "failure")
      settleFailure(single, result.value, { response, index, calls });
    else single.fail(() => new KvdClientError("INTERNAL", "the server left out a result"));
  }
}

/** Sends the call by itself, as a unary one, to the end of its time. */
export function askAlone(single: Single, calls: Calls, bytes: Buffer = single.bytes): void {
  for (const waiter of single.waiters) {
    sendAlone({ single, waiter, calls, bytes }).then(
      (response) => waiter.answer(response),
      (error: Error) => waiter.fail(error),
    );
  }
}

interface Place {
  readonly response: PipelineResponse;
  readonly index: number;
  readonly calls: Calls;
}

function settleFailure(single: Single, failure: Failure, place: Place): void {
  const { response, index, calls } = place;
  const reason = reasonName(failure.reason);
  if (!ASKED_AGAIN.has(reason)) {
    single.fail(() => errorFromFailure(failure, revisionBefore(response, index)));
  } else if (reason === "RESULT_TOO_LARGE" && single.readsNow) {
    askThen(single, calls, revisionBefore(response, index));
  } else {
    askAlone(single, calls);
  }
}

function errorFromFailure(failure: Failure, revision: bigint): KvdClientError {
  const reason = reasonName(failure.reason);
  const metadata = factsOf(reason, {
    mod_revision: `${failure.modRevision}`,
    revision: `${revision}`,
  });
  return errorFromInfo(codeOfReason(reason), failure.message, { reason, metadata });
}

/** As the status of a call by itself has them. */
function factsOf(
  reason: Reason,
  facts: { readonly mod_revision: string; readonly revision: string },
): Readonly<Record<string, string>> {
  if (reason === "PRECONDITION_FAILED") return facts;
  return reason === "REVISION_FUTURE" ? { revision: facts.revision } : {};
}

/**
 * The store's revision when the operation had its turn. A batch is applied in one go, so the next
 * operation that changed something tells it.
 */
function revisionBefore({ results, revision }: PipelineResponse, index: number): bigint {
  for (let next = index + 1; next < results.length; next += 1) {
    const change = changeOf(results[next]);
    if (change !== undefined) return change - 1n;
  }
  return revision;
}

function changeOf(item: BatchResult | undefined): bigint | undefined {
  const result = item?.result;
  if (result?.$case === "put") return result.value.revision;
  if (result?.$case === "delete" && result.value.deleted > 0n) return result.value.revision;
  return undefined;
}

/** A get had no room in the answer: what it would have read is read at the revision of its turn. */
function askThen(single: Single, calls: Calls, revision: bigint): void {
  const request = { ...decodeMessage(GetRequest, single.bytes), revision };
  const then = encodeMessage(GetRequest, request);
  for (const waiter of single.waiters) {
    sendAlone({ single, waiter, calls, bytes: then })
      .catch((error: unknown) => {
        const gone = error instanceof KvdClientError && error.reason === "REVISION_COMPACTED";
        if (!gone) throw error;
        return sendAlone({ single, waiter, calls, bytes: single.bytes });
      })
      .then(
        (response) => waiter.answer(response),
        (error: Error) => waiter.fail(error),
      );
  }
}

interface Alone {
  readonly single: Single;
  readonly waiter: Waiter;
  readonly calls: Calls;
  readonly bytes: Buffer;
}

function sendAlone({ single, waiter, calls, bytes }: Alone) {
  return calls.send({
    ...{ method: single.method, bytes, repeatable: single.reads },
    ...{ deadline: waiter.deadline, signal: waiter.signal, waitForReady: calls.retry },
  });
}
