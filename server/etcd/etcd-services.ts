// The services of etcd's v3 protocol over one engine: translation only. The store is the one that
// kvd.v1 serves, so what is written here is seen there, and the other way round.

import type { StatusOf } from "../grpc/failures.js";
import type { GrpcService } from "../grpc/grpc-server.js";
import { OpenStreams } from "../grpc/open-streams.js";
import type { Engine } from "../kv/engine.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import type { Logger } from "../lib/logger.js";
import { Identity } from "./identity.js";
import { etcdStatuses } from "./status.js";

export interface EtcdServicesOptions {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the handlers of a service are made from. */
export interface EtcdContext extends EtcdServicesOptions {
  readonly identity: Identity;
  readonly statusOf: StatusOf;
  /** Streams that the server ends when it stops. */
  readonly streams: OpenStreams;
}

export interface EtcdServices {
  readonly services: readonly GrpcService[];
  stopStreams(): void;
}

export function etcdServices(options: EtcdServicesOptions): EtcdServices {
  const streams = new OpenStreams();
  const context: EtcdContext = {
    ...options,
    identity: new Identity(options.engine.storeId),
    statusOf: etcdStatuses(options.logger),
    streams,
  };
  void context;
  return { services: [], stopStreams: () => streams.stop() };
}
