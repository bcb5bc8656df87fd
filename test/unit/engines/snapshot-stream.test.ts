// A snapshot begins at the head, which may never become durable.

import test from "ava";
import { openMemoryEngine } from "../../../server/engines/memory.js";
import { KvdError } from "../../../server/kv/errors.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { put } from "../../support/commands.js";
import { ManualClock } from "../../support/manual-clock.js";
import { snapshotOf } from "../../support/snapshot.js";
import { WaveringBackend } from "../../support/wavering-backend.js";

test("a snapshot of what will never be durable is refused, the next one is not", async (t) => {
  const backend = new WaveringBackend();
  const engine = await openMemoryEngine({
    limits: defaultLimits(),
    clock: new ManualClock(),
    backend,
  });
  const lost = engine.put(put("k", "lost"));
  const snapshot = await engine.snapshot();
  backend.forget();
  await t.throwsAsync(lost, { instanceOf: KvdError });
  const written = engine.put(put("k", "kept"));
  backend.keep();
  await written;
  await t.throwsAsync(async () => snapshot.next(), { instanceOf: KvdError });
  snapshot.close();
  const bytes = Buffer.concat(await snapshotOf(engine));
  t.true(bytes.includes("kept"));
  t.false(bytes.includes("lost"));
  engine.check();
  await engine.close();
});
