// What the engine offers to etcd's protocol and kvd.v1 has no words for: puts that want the key to
// be there, and watches that keep revisions whole.

import test from "ava";
import { ALL, del, get, op, put, TXN_OPTIONS, text, txn, watch } from "../../support/commands.js";
import { openMemoryFor } from "../../support/engines.js";
import { refused } from "../../support/refused.js";
import { openWatch, takeMessages } from "../../support/take.js";

test("a put that keeps the value changes everything else", async (t) => {
  const engine = await openMemoryFor(t);
  await engine.grant({ id: 7n, ttlMs: 60_000 });
  await engine.put(put("a", "1"));
  const lease = { kind: "lease", id: 7n, maxKeys: 1 } as const;
  const kept = await engine.put({
    ...put("a", "", { lease, returnPrevious: true }),
    value: "keep",
  });
  t.is(kept.previous && text(kept.previous.value), "1");
  const { entry } = await engine.get(get("a"));
  t.is(entry && text(entry.value), "1");
  t.deepEqual([entry?.version, entry?.leaseId], [2, 7n]);
});

test("an absent key refuses what wants it to be there, and nothing changes", async (t) => {
  const engine = await openMemoryFor(t);
  const { revision } = await engine.put(put("a"));
  await engine.delete(del("a"));
  const keep = { ...put("a"), value: "keep" } as const;
  const present = put("a", "x", { expectedModRevision: "present" });
  for (const command of [keep, present]) {
    await refused(t, "PRECONDITION_FAILED", engine.put(command));
    const within = txn({ success: [op.put(put("b")), op.put(command)] });
    await refused(t, "PRECONDITION_FAILED", engine.txn(within, TXN_OPTIONS));
  }
  t.is(engine.revision, revision + 1);
  await engine.put(put("a", "y"));
  await engine.put(present);
  const { entry } = await engine.get(get("a"));
  t.is(entry && text(entry.value), "x");
});

test("whole revisions are not cut, whatever they weigh; many small ones still share", async (t) => {
  const engine = await openMemoryFor(t);
  const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
  await engine.txn(txn({ success: keys.map((key) => op.put(put(key, "v"))) }), TXN_OPTIONS);
  for (const key of keys) await engine.put(put(key, "w"));
  const spec = { startRevision: 2, maxBytes: 1000 };
  const sizes = async (wholeRevisionMaxBytes: number) => {
    const watcher = await openWatch(engine, watch(ALL, { ...spec, wholeRevisionMaxBytes }));
    const messages = await takeMessages(watcher, 40);
    watcher.close();
    return messages.map(({ events, fragment }) => [events.length, fragment] as const);
  };
  const whole = await sizes(1_000_000);
  t.deepEqual(whole[0], [20, false]);
  t.true(whole.length > 2 && whole.length < 21);
  const cut = await sizes(0);
  t.true((cut[0]?.[0] ?? 20) < 20 && cut[0]?.[1] === true);
});
