// What tests say about refusals: which reason, which facts, and that nothing has changed.

import type { ExecutionContext } from "ava";
import type { Engine } from "../../server/kv/engine.js";
import { KvdError, type Reason } from "../../server/kv/errors.js";
import { toHex } from "./commands.js";

/** Expects a refusal with this reason, and answers it. */
export async function refused(
  t: ExecutionContext,
  reason: Reason,
  attempt: Promise<unknown> | (() => Promise<unknown>),
): Promise<KvdError> {
  try {
    await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    if (!(error instanceof KvdError)) throw error;
    t.is(error.reason, reason, error.message);
    return error;
  }
  throw new Error(`nothing was refused where ${reason} is due`);
}

/** What a refused operation must not touch: the entries, the revision, the leases. */
export async function fingerprint(engine: Engine): Promise<string> {
  const { hash, revision } = await engine.hash({ revision: 0 });
  const { leases } = await engine.leases({ after: undefined, limit: 1000 });
  const granted = leases.map(({ id, grantedTtlMs }) => `${id}:${grantedTtlMs}`);
  const { keys, liveBytes } = await engine.status();
  return [toHex(hash), revision, granted.join(), keys, liveBytes].join(" ");
}

/** The same, where it must also have changed nothing. */
export async function refusedUnchanged(
  t: ExecutionContext,
  reason: Reason,
  engine: Engine,
  attempt: () => Promise<unknown>,
): Promise<KvdError> {
  const before = await fingerprint(engine);
  const error = await refused(t, reason, attempt);
  t.is(await fingerprint(engine), before, "a refused operation changes nothing");
  return error;
}
