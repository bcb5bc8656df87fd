// A kvd in the test's process, on a free port, with the generated clients.

import type { ExecutionContext } from "ava";
import { KvServiceClient, type PutResponse } from "../../gen/grpc/kvd/v1/kv.js";
import { WatchRequest } from "../../gen/grpc/kvd/v1/watch.js";
import { openMemoryEngine } from "../../server/engines/memory.js";
import { defaultLimits, type Limits } from "../../server/kv/limits.js";
import { type Clock, systemClock } from "../../server/lib/clock.js";
import { createServer, type ServerOptions } from "../../server/server.js";
import { connectClient, settle } from "./grpc-service.js";

export interface KvdOptions extends Omit<ServerOptions, "engine" | "limits" | "clock"> {
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
}

/** Its engine is checked when the test ends. */
export async function serveKvd(t: ExecutionContext, options: KvdOptions = {}) {
  const { clock = systemClock } = options;
  const engine = await openMemoryEngine({ limits: defaultLimits(options.limits), clock });
  const server = await createServer({ shutdownGraceMs: 5_000, ...options, engine });
  t.teardown(async () => {
    await server.close();
    engine.check();
    await engine.close();
  });
  const client = connectClient(t, server.address, KvServiceClient);
  const put = (key: string, value: string | Uint8Array) =>
    settle<PutResponse>((done) => client.put(putRequest(key, value), done));
  return { server, engine, client, put };
}

export function putRequest(key: string, value: string | Uint8Array) {
  return {
    keyForm: { $case: "key", value: key } as const,
    value: Buffer.from(value),
    leaseId: 0n,
    keepLease: false,
    returnPrevious: false,
    ttl: undefined,
    expectedModRevision: undefined,
  };
}

export function watchRequest(request: Partial<WatchRequest> = {}): WatchRequest {
  return WatchRequest.create({ selector: { $case: "all", value: true }, ...request });
}
