// Pipeline: batches as a stream, applied in order of arrival. An answer carries its request's id
// and goes out when it is ready: gets need not wait until the puts before them are durable.

import type { RequestStreamOptions } from "../grpc/request-stream.js";
import type { Clock } from "../lib/clock.js";
import { BatchCodec } from "./batch-codec.js";
import { PIPELINE_SHAPE } from "./batch-shape.js";
import type { ServiceOptions } from "./kv-service.js";

/** Batches of one stream in flight, and bytes of answers that its peer has not taken. */
const IN_FLIGHT_MAX = 16;
const UNSENT_MAX_BYTES = 1024 * 1024;

/** For every stream: a codec's state is that of one message, while it is answered. */
export function pipelineStreamOptions(
  options: ServiceOptions & { readonly clock: Clock },
): RequestStreamOptions<Uint8Array, Buffer> {
  const { engine, limits, statusOf, clock } = options;
  const codec = new BatchCodec(engine, PIPELINE_SHAPE, limits);
  return {
    inFlightMax: IN_FLIGHT_MAX,
    unsentMaxBytes: UNSENT_MAX_BYTES,
    idleMaxMs: limits.watcherIdleMaxMs,
    clock,
    statusOf,
    handle: (bytes) => codec.answer(bytes),
    weigh: (answer) => answer.length,
  };
}
