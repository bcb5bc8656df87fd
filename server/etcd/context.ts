// What every service of etcd's protocol is made from.

import type { StatusOf } from "../grpc/failures.js";
import type { OpenStreams } from "../grpc/open-streams.js";
import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import type { Identity } from "./identity.js";
import type { WatchFrames } from "./watch-frames.js";

export interface EtcdServicesOptions {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the handlers of a service are made from. */
export interface EtcdContext extends EtcdServicesOptions {
  readonly identity: Identity;
  readonly watchFrames: WatchFrames;
  readonly statusOf: StatusOf;
  /** Streams that the server ends when it stops. */
  readonly streams: OpenStreams;
}
