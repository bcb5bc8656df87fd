// Pipeline: batches as a stream, applied in order of arrival. An answer carries its request's id
// and goes out when it is ready: gets need not wait until the puts before them are durable.

import type { PipelineRequest, PipelineResponse } from "../../gen/grpc/kvd/v1/kv.js";
import type { RequestStreamOptions } from "../grpc/request-stream.js";
import type { Clock } from "../lib/clock.js";
import { runBatch } from "./batch.js";
import type { ServiceOptions } from "./kv-service.js";

/** Batches of one stream in flight, and bytes of answers that its peer has not taken. */
const IN_FLIGHT_MAX = 16;
const UNSENT_MAX_BYTES = 1024 * 1024;

export function pipelineStreamOptions(
  options: ServiceOptions & { readonly clock: Clock },
): RequestStreamOptions<PipelineRequest, PipelineResponse> {
  const { engine, limits, statusOf, clock } = options;
  return {
    inFlightMax: IN_FLIGHT_MAX,
    unsentMaxBytes: UNSENT_MAX_BYTES,
    idleMaxMs: limits.watcherIdleMaxMs,
    clock,
    statusOf,
    handle: async ({ id, operations }) => ({ id, ...(await runBatch(engine, operations, limits)) }),
    weigh: weightOfResponse,
  };
}

/** What a result without entries takes, roughly. */
const RESULT_BYTES = 32;

function weightOfResponse({ results }: PipelineResponse): number {
  let bytes = 0;
  for (const { result } of results) {
    bytes += RESULT_BYTES;
    if (result?.$case === "get") bytes += result.value.kv?.value.length ?? 0;
    if (result?.$case === "put") bytes += result.value.previous?.value.length ?? 0;
  }
  return bytes;
}
