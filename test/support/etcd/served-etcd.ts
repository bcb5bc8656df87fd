// The services of etcd's protocol over a memory engine, on a free port, until the test ends.

import type { ExecutionContext } from "ava";
import { etcdServices } from "../../../server/etcd/etcd-services.js";
import type { Engine } from "../../../server/kv/engine.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { silentLogger } from "../../../server/lib/logger.js";
import { type OpenOptions, openMemoryFor } from "../engines.js";
import { serveServices } from "../grpc-service.js";
import { ManualClock } from "../manual-clock.js";

export interface ServedEtcd {
  readonly engine: Engine;
  readonly address: string;
}

export async function serveEtcd(
  t: ExecutionContext,
  options: OpenOptions = {},
): Promise<ServedEtcd> {
  const { clock = new ManualClock() } = options;
  const engine = await openMemoryFor(t, { ...options, clock });
  const limits = defaultLimits(options.limits);
  const { services } = etcdServices({ engine, limits, clock, logger: silentLogger });
  return { engine, address: await serveServices(t, services) };
}
