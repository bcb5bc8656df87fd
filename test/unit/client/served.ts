// A real server with a memory engine, and a client on it. When the test ends: the client and the
// server close, the engine's invariants are checked.

import type { ExecutionContext } from "ava";
import { type ConnectOptions, connect, type Kvd } from "../../../client/index.js";
import { type MemoryEngine, openMemoryEngine } from "../../../server/engines/memory.js";
import { defaultLimits, type Limits } from "../../../server/kv/limits.js";
import { type Clock, systemClock } from "../../../server/lib/clock.js";
import { createServer, type KvdServer } from "../../../server/server.js";

export interface Served {
  readonly kv: Kvd;
  readonly server: KvdServer;
  readonly engine: MemoryEngine;
  /** One more client of the same server. */
  connect(options?: ConnectOptions): Kvd;
}

export interface ServedOptions {
  readonly limits?: Partial<Limits>;
  readonly listen?: string;
  /** Of the engine: commits have its time. */
  readonly clock?: Clock;
}

export async function serve(t: ExecutionContext, options: ServedOptions = {}): Promise<Served> {
  const { limits: overrides = {}, clock = systemClock, ...rest } = options;
  const limits = defaultLimits(overrides);
  const engine = await openMemoryEngine({ limits, clock });
  t.teardown(async () => {
    engine.check();
    await engine.close();
  });
  const server = await createServer({ ...rest, limits, engine });
  t.teardown(() => server.close());
  const connectOne = (connectOptions: ConnectOptions = {}) => {
    const kv = connect(server.address, connectOptions);
    t.teardown(() => kv.close());
    return kv;
  };
  return { kv: connectOne(), server, engine, connect: connectOne };
}
