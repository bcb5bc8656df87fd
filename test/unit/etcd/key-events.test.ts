// What calls that wait see of the store.

import test from "ava";
import { openMemoryEngine } from "../../../server/engines/memory.js";
import { eventsFrom } from "../../../server/etcd/key-events.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { systemClock } from "../../../server/lib/clock.js";
import { ALL, put } from "../../support/commands.js";
import { shown } from "../../support/take.js";

async function openEngine() {
  const engine = await openMemoryEngine({ limits: defaultLimits(), clock: systemClock });
  for (const key of ["a", "b", "c"]) await engine.put(put(key, "v"));
  return engine;
}

test("events end where the history that they began in is gone", async (t) => {
  const engine = await openEngine();
  t.teardown(() => engine.close());
  await engine.compact({ revision: 4 });
  const query = { selector: ALL, startRevision: 2 };
  for await (const _ of eventsFrom(engine, query, new AbortController().signal)) t.fail();
  t.is((await engine.status()).watchers, 0);
});

test("events end with the reason of the signal", async (t) => {
  const engine = await openEngine();
  t.teardown(() => engine.close());
  const controller = new AbortController();
  const reason = new Error("enough");
  const seen: string[] = [];
  const read = async () => {
    const query = { selector: ALL, startRevision: 2 };
    for await (const event of eventsFrom(engine, query, controller.signal)) {
      seen.push(shown(event));
      if (seen.length === 3) setImmediate(() => controller.abort(reason));
    }
  };
  t.is(await t.throwsAsync(read()), reason);
  t.deepEqual(seen, ["put a@2", "put b@3", "put c@4"]);
  t.is((await engine.status()).watchers, 0);
});
