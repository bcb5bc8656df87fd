// What a golden directory has to hold when it is opened: told when it is written, asked for ever.

import { createHash } from "node:crypto";
import type { Engine } from "../../server/kv/engine.js";
import { historyOf } from "./take.js";
import { versionsOf } from "./versions.js";

export interface GoldenFacts {
  readonly storeId: string;
  readonly revision: number;
  readonly compactRevision: number;
  /** SHA-256 of the entries, as MaintenanceService.Hash has it. */
  readonly entries: string;
  /** SHA-256 of the events from the compact revision on. */
  readonly events: string;
  /** SHA-256 of all that is retained, with its places; since version 2. */
  readonly versions?: string;
  readonly leases: readonly GoldenLease[];
}

interface GoldenLease {
  readonly id: string;
  readonly grantedTtlMs: number;
  readonly keys: readonly string[];
}

export async function goldenFacts(engine: Engine): Promise<GoldenFacts> {
  const { storeId, revision, compactRevision } = await engine.status();
  const { hash } = await engine.hash({ revision: 0 });
  const events = await historyOf(engine, Math.max(1, compactRevision));
  const leases: GoldenLease[] = [];
  for (const { id, grantedTtlMs } of (await engine.leases({ after: undefined, limit: 100 }))
    .leases) {
    const { keys } = await engine.timeToLive({ id, withKeys: true, maxBytes: 100_000 });
    const texts = keys.map((key) => Buffer.from(key).toString());
    leases.push({ id: `${id}`, grantedTtlMs, keys: texts });
  }
  return {
    storeId,
    revision,
    compactRevision,
    entries: Buffer.from(hash).toString("hex"),
    events: hashOf(events),
    versions: hashOf(await versionsOf(engine)),
    leases,
  };
}

function hashOf(things: readonly unknown[]): string {
  const plain = JSON.stringify(things, (_name, value) => {
    if (typeof value === "bigint") return `${value}`;
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
  return createHash("sha256").update(plain).digest("hex");
}
