// The services of etcd's v3 protocol over one engine: translation only. The store is the one that
// kvd.v1 serves, so what is written here is seen there, and the other way round.

import type { Surface } from "../grpc/grpc-server.js";
import { OpenStreams } from "../grpc/open-streams.js";
import { authDefinition, authHandlers } from "./auth-service.js";
import { clusterDefinition, clusterHandlers } from "./cluster-service.js";
import type { EtcdContext, EtcdServicesOptions } from "./context.js";
import { ELECTION_WAITS, electionDefinition, electionHandlers } from "./election-service.js";
import { Identity } from "./identity.js";
import { kvDefinition, kvHandlers } from "./kv-service.js";
import { leaseDefinition, leaseHandlers } from "./lease-service.js";
import { LOCK_WAITS, lockDefinition, lockHandlers } from "./lock-service.js";
import { maintenanceDefinition, maintenanceHandlers } from "./maintenance-service.js";
import { etcdStatuses } from "./status.js";
import { WatchFrames } from "./watch-frames.js";
import { watchDefinition, watchHandlers } from "./watch-service.js";

export function etcdServices(options: EtcdServicesOptions): Surface {
  const { engine, limits, logger } = options;
  const streams = new OpenStreams();
  const identity = new Identity(engine.storeId);
  const watchFrames = new WatchFrames(identity);
  const statusOf = etcdStatuses(logger);
  const context: EtcdContext = { ...options, identity, watchFrames, statusOf, streams };
  return {
    services: [
      { definition: kvDefinition(limits), handlers: kvHandlers(context) },
      { definition: watchDefinition(limits), handlers: watchHandlers(context) },
      { definition: leaseDefinition(limits), handlers: leaseHandlers(context) },
      { definition: authDefinition(limits), handlers: authHandlers(context) },
      { definition: clusterDefinition(limits), handlers: clusterHandlers(context) },
      { definition: maintenanceDefinition(limits), handlers: maintenanceHandlers(context) },
      { definition: lockDefinition(limits), handlers: lockHandlers(context), waits: LOCK_WAITS },
      {
        definition: electionDefinition(limits),
        handlers: electionHandlers(context),
        waits: ELECTION_WAITS,
      },
    ],
    requestMaxBytes: limits.etcdRequestMaxBytes,
    stopStreams: () => {
      engine.endWatches();
      streams.stop();
    },
  };
}
