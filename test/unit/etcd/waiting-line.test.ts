// A line of keys, with calls that are withdrawn before they have begun.

import test, { type ExecutionContext } from "ava";
import { openMemoryEngine } from "../../../server/engines/memory.js";
import { WaitingLine } from "../../../server/etcd/waiting-line.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { systemClock } from "../../../server/lib/clock.js";
import { text } from "../../support/commands.js";

const WITHDRAWN = AbortSignal.abort(new Error("withdrawn"));

async function openLine(t: ExecutionContext) {
  const engine = await openMemoryEngine({ limits: defaultLimits(), clock: systemClock });
  t.teardown(() => engine.close());
  await engine.grant({ id: 1n, ttlMs: 60_000 });
  const line = new WaitingLine(engine, Buffer.from("a"));
  const turn = (leaseId: bigint, signal: AbortSignal) => {
    const expired = () => new Error("expired");
    return line.turn({ leaseId, value: Buffer.from(""), expired }, signal);
  };
  return { engine, line, turn };
}

test("a call that was withdrawn before it was first leaves no key, and no lease", async (t) => {
  const { engine, line, turn } = await openLine(t);
  await t.throwsAsync(turn(1n, WITHDRAWN), { message: "withdrawn" });
  await t.throwsAsync(turn(0n, WITHDRAWN), { message: "withdrawn" });
  t.is((await line.holder()).entry, undefined);
  t.is((await engine.status()).leases, 1);
});

test("whoever holds holds on when a further call of his is withdrawn", async (t) => {
  const { line, turn } = await openLine(t);
  const held = await turn(1n, new AbortController().signal);
  t.like(await turn(1n, WITHDRAWN), { createRevision: held.createRevision });
  const { entry } = await line.holder();
  t.is(entry && text(entry.key), "a/1");
});
