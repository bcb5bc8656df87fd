// Which gets, puts and deletes can be operations of a batch, and what a batch needs to know of
// them: it takes single keys only, and one that is very large goes by itself, because a message
// that is refused for its size costs the others of its stream a repetition.

import type { DeleteRequest, GetRequest, PutRequest } from "../gen/grpc/kvd/v1/kv.js";
import type { BatchedCall } from "./batching.js";
import type { Method } from "./calls.js";
import type { SingleResponse } from "./single.js";
import { getKeyOf } from "./single-queue.js";
import { shownText } from "./text.js";

/** Half of what a server takes unless it is told another: a request of more goes by itself. */
const OPERATION_MAX_BYTES = 2 * 1024 * 1024;

/** Undefined for what no batch can carry. */
export type ToBatched<Request, Response extends SingleResponse> = (
  method: Method<Request, Response>,
  request: Request,
) => BatchedCall<Request, Response> | undefined;

export function batchedGet<Response extends SingleResponse>(
  method: Method<GetRequest, Response>,
  request: GetRequest,
): BatchedCall<GetRequest, Response> | undefined {
  const { keyForm, revision } = request;
  if (keyForm === undefined) return undefined;
  const keyText = keyTextOf(keyForm);
  const call = { keyText, returnsPrevious: false, readsNow: revision === 0n };
  // The same key given as bytes, and as text, is asked for twice at worst.
  const getKey = keyForm.$case === "key" ? getKeyOf(keyText, revision) : undefined;
  return fitting({ kind: "get", method, bytes: method.serialize(request), getKey, ...call });
}

export function batchedPut<Response extends SingleResponse>(
  method: Method<PutRequest, Response>,
  request: PutRequest,
): BatchedCall<PutRequest, Response> | undefined {
  const { keyForm, returnPrevious: returnsPrevious } = request;
  if (keyForm === undefined) return undefined;
  const call = { keyText: keyTextOf(keyForm), returnsPrevious, readsNow: false };
  const bytes = method.serialize(request);
  return fitting({ kind: "put", method, bytes, getKey: undefined, ...call });
}

export function batchedDelete<Response extends SingleResponse>(
  method: Method<DeleteRequest, Response>,
  request: DeleteRequest,
): BatchedCall<DeleteRequest, Response> | undefined {
  const { selector, limit, returnPrevious: returnsPrevious } = request;
  if (limit !== 0n || (selector?.$case !== "key" && selector?.$case !== "rawKey")) return undefined;
  const call = { keyText: keyTextOf(selector), returnsPrevious, readsNow: false };
  const bytes = method.serialize(request);
  return fitting({ kind: "delete", method, bytes, getKey: undefined, ...call });
}

function keyTextOf(form: NonNullable<GetRequest["keyForm"]>): string {
  return form.$case === "key" ? form.value : shownText(form.value);
}

function fitting<Request, Response extends SingleResponse>(
  call: BatchedCall<Request, Response>,
): BatchedCall<Request, Response> | undefined {
  return call.bytes.length <= OPERATION_MAX_BYTES ? call : undefined;
}
