// The store that refusals meet: the same for each, small, with everything that can be refused.

import type { ExecutionContext } from "ava";
import type { MemoryEngine } from "../../../server/engines/memory.js";
import type { Limits } from "../../../server/kv/limits.js";
import { put, withLease } from "../../support/commands.js";
import { HeldBackend } from "../../support/held-backend.js";
import { fingerprint } from "../../support/refused.js";
import { serveMemory } from "../../support/remote-engine.js";

/** A lease without keys. */
export const LEASE = 7n;
/** A lease with one key. */
export const FULL_LEASE = 8n;

/**
 * Revision 6, compacted at 3: a was put at 2 and 3, b at 4, a large entry at 5 and leased at 6.
 */
export async function serveFixture(t: ExecutionContext, limits: Partial<Limits> = {}) {
  const backend = new HeldBackend();
  const served = await serveMemory(t, { limits, backend });
  const { engine } = served;
  await engine.grant({ id: LEASE, ttlMs: 3_600_000 });
  await engine.grant({ id: FULL_LEASE, ttlMs: 3_600_000 });
  await engine.put(put("a", "1"));
  await engine.put(put("a", "2"));
  await engine.put(put("b", "1"));
  await engine.put(put("large", new Uint8Array(4096)));
  await engine.put(put("leased", "1", { lease: withLease(FULL_LEASE) }));
  await engine.compact({ revision: 3 });
  return { ...served, backend };
}

export type Fixture = Awaited<ReturnType<typeof serveFixture>>;

/** All that a refusal must leave as it is; also of an engine that is closed. */
export async function stateOf(
  { engine, backend }: { readonly engine: MemoryEngine; readonly backend: HeldBackend },
  options: { readonly closed: boolean },
): Promise<string> {
  engine.check();
  const written = backend.records.length;
  return options.closed ? `${written}` : `${written} ${await fingerprint(engine)}`;
}
