// The services of kvd.v1 over one engine, and the streams of theirs that do not end by themselves.

import type { KeepAliveRequest, KeepAliveResponse } from "../../gen/grpc/kvd/v1/lease.js";
import type { Decoded } from "../grpc/codec.js";
import { statusesFrom } from "../grpc/failures.js";
import type { Surface } from "../grpc/grpc-server.js";
import { OpenStreams } from "../grpc/open-streams.js";
import { RequestStream } from "../grpc/request-stream.js";
import type { DuplexCall } from "../grpc/service.js";
import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import { kvDefinition, kvHandlers } from "./kv-service.js";
import { keepAliveStreamOptions, leaseDefinition, leaseHandlers } from "./lease-service.js";
import { maintenanceDefinition, maintenanceHandlers } from "./maintenance-service.js";
import type { MultiWatchCall } from "./multi-watch.js";
import { pipelineStreamOptions } from "./pipeline-service.js";
import { statusFromError } from "./status.js";
import { WatchFrames } from "./watch-frames.js";
import { multiWatch, serveWatch, type WatchCall } from "./watch-service.js";

export interface KvdServicesOptions {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For Status. */
  readonly version: string;
}

type PipelineCall = DuplexCall<Decoded<Uint8Array>, Buffer>;
type KeepAliveCall = DuplexCall<Decoded<KeepAliveRequest>, KeepAliveResponse>;

export function kvdServices(options: KvdServicesOptions): Surface {
  const { engine, limits, logger } = options;
  const statusOf = statusesFrom(statusFromError, logger);
  const context = { ...options, statusOf, watchFrames: new WatchFrames() };
  const streams = new OpenStreams();
  const pipelineOptions = pipelineStreamOptions(context);
  const kv = {
    ...kvHandlers(context),
    watch: (call: WatchCall) => serveWatch(call, context),
    multiWatch: (call: MultiWatchCall) => streams.add(call, multiWatch(call, context)),
    pipeline: (call: PipelineCall) =>
      streams.add(call, new RequestStream<Uint8Array, Buffer>(call, pipelineOptions)),
  };
  const lease = {
    ...leaseHandlers(context),
    keepAlive: (call: KeepAliveCall) =>
      streams.add(
        call,
        new RequestStream<KeepAliveRequest, KeepAliveResponse>(
          call,
          keepAliveStreamOptions(context),
        ),
      ),
  };
  return {
    services: [
      { definition: kvDefinition(limits), handlers: kv },
      { definition: leaseDefinition(limits), handlers: lease },
      { definition: maintenanceDefinition(limits), handlers: maintenanceHandlers(context) },
    ],
    requestMaxBytes: limits.requestMaxBytes,
    stopStreams: () => {
      engine.endWatches();
      streams.stop();
    },
  };
}
