// Watches through the client, against a real server: events, steps, ends, many at once, slow ones.
// What only a misbehaving server does is in watch.test.ts.

import test from "ava";
import {
  KvdClientError,
  put,
  type Watch,
  type WatchEvent,
  type WatchStep,
} from "../../../client/index.js";
import { serve } from "./served.js";

async function take(count: number, watch: Watch): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of watch) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

test("a watch gives puts and deletes in order, with what was before and why", async (t) => {
  const { kv } = await serve(t);
  const watch = kv.watch({ prefix: "a" }, { previous: true });
  const { revision } = await watch.ready();
  const { leaseId } = await kv.put("a", "1", { ttl: "1h" });
  await kv.put("b", "elsewhere");
  await kv.put("a", "2", { keepLease: true });
  await kv.lease.revoke(leaseId);
  await kv.put("a", "3");
  await kv.delete("a");
  const [first, second, revoked, third, deleted] = await take(5, watch);
  t.true(first?.type === "put" && first.entry.text() === "1" && first.previous === undefined);
  t.is(first?.revision, revision + 1);
  t.true(second?.type === "put" && second.previous?.text() === "1");
  t.true(revoked?.type === "delete" && revoked.reason === "revoked");
  t.true(third?.type === "put" && third.entry.version === 1);
  t.true(deleted?.type === "delete" && deleted.reason === "deleted");
  t.is(deleted?.previous?.text(), "3");
  t.is(deleted?.key, "a");
  t.true((first?.commitTime.getTime() ?? 0) <= (deleted?.commitTime.getTime() ?? 0));
});

test("a watch from a past revision gives what has happened since", async (t) => {
  const { kv } = await serve(t);
  const { revision } = await kv.put("a", "1");
  await kv.put("a", "2");
  const events = await take(2, kv.watch("a", { startRevision: revision }));
  t.deepEqual(
    events.map((event) => event.revision),
    [revision, revision + 1],
  );
});

test("the present entries come first when they are asked for, then the changes", async (t) => {
  const { kv } = await serve(t);
  await kv.batch([put("a", "1"), put("b", "2")]);
  const steps: WatchStep[] = [];
  for await (const step of kv.watch({ all: true }, { includeCurrent: true }).steps()) {
    steps.push(step);
    if (step.kind === "synced") await kv.put("c", "3");
    if (step.kind === "events") break;
  }
  t.deepEqual(
    steps.map((step) => step.kind),
    ["created", "current", "synced", "events"],
  );
  const [, current, synced, events] = steps;
  t.true(current?.kind === "current" && current.entries.map(({ key }) => key).join() === "a,b");
  t.true(events?.kind === "events" && events.revision === (synced?.revision ?? 0) + 1);
});

test("excluded types stay out, and a quiet watch tells its progress", async (t) => {
  const { kv } = await serve(t);
  const options = { exclude: ["put"], progressInterval: "100ms" } as const;
  const watch = kv.watch({ all: true }, options);
  await watch.ready();
  await kv.put("a", "1");
  const { revision } = await kv.delete("a");
  const seen: WatchStep[] = [];
  for await (const step of watch.steps()) {
    seen.push(step);
    if (step.kind === "progress" && step.revision >= revision) break;
  }
  const events = seen.flatMap((step) => (step.kind === "events" ? step.events : []));
  t.deepEqual(
    events.map(({ type }) => type),
    ["delete"],
  );
});

test("watches that cannot be are refused with their reasons", async (t) => {
  const { kv } = await serve(t);
  const { revision } = await kv.put("a", "1");
  await kv.maintenance.compact(revision);
  const ended = async (watch: Watch) => {
    const error = await t.throwsAsync(take(1, watch), { instanceOf: KvdClientError });
    return [error?.code, error?.reason, error?.details.compactRevision];
  };
  t.deepEqual(await ended(kv.watch("a", { startRevision: 1 })), [
    "OUT_OF_RANGE",
    "REVISION_COMPACTED",
    revision,
  ]);
  t.deepEqual(await ended(kv.watch("a", { startRevision: 2, storeId: "another" })), [
    "FAILED_PRECONDITION",
    "STORE_CHANGED",
    undefined,
  ]);
  const conflict = kv.watch("a", { startRevision: 2, includeCurrent: true });
  t.deepEqual(await ended(conflict), ["INVALID_ARGUMENT", "FIELD_CONFLICT", undefined]);
  const fast = kv.watch("a", { progressInterval: "1ms" });
  t.deepEqual(await ended(fast), ["INVALID_ARGUMENT", "NUMBER_OUT_OF_RANGE", undefined]);
});

test("a watch that was left is gone on the server", async (t) => {
  const { kv, engine } = await serve(t);
  const watches = [kv.watch("a"), kv.watch("b"), kv.watch("c")];
  await Promise.all(watches.map((watch) => watch.ready()));
  t.is((await engine.status()).watchers, 3);
  for (const watch of watches) watch.close();
  while ((await kv.maintenance.status()).watchers > 0);
  t.pass();
});

test("closing a client ends its watches on the server, not those of another", async (t) => {
  const { kv, connect, engine } = await serve(t);
  const other = connect();
  await Promise.all([kv.watch("a").ready(), kv.watch("b").ready()]);
  const kept = other.watch("a");
  await kept.ready();
  await kv.close();
  while ((await other.maintenance.status()).watchers > 1);
  t.is((await engine.status()).watchers, 1);
  await other.put("a", "1");
  t.is((await take(1, kept)).length, 1);
});

test("a server that stops ends a watch that does not resume, with where to go on", async (t) => {
  const { kv, server } = await serve(t);
  const watch = kv.watch("a", { resume: false });
  await watch.ready();
  const { revision } = await kv.put("a", "1");
  const seen: WatchEvent[] = [];
  const error = await t.throwsAsync(
    async () => {
      for await (const event of watch) {
        seen.push(event);
        void server.close();
      }
    },
    { instanceOf: KvdClientError },
  );
  t.deepEqual([error?.code, error?.reason], ["UNAVAILABLE", "SHUTTING_DOWN"]);
  t.is(seen.length, 1);
  t.is(error?.details.resumeRevision, revision + 1);
});

test("more watches than a connection's streams go on without starving calls", async (t) => {
  const { kv } = await serve(t);
  const watches = Array.from({ length: 600 }, () => kv.watch("a"));
  await Promise.all(watches.map((watch) => watch.ready()));
  const { revision } = await kv.put("a", "1");
  const events = await Promise.all(watches.map((watch) => take(1, watch)));
  t.true(events.every(([event]) => event?.revision === revision));
});

test("a slow consumer misses nothing, and a fast one does not wait for it", async (t) => {
  const { kv, connect } = await serve(t, { limits: { watcherQueueMaxBytes: 256 * 1024 } });
  const watcher = connect();
  const slow = watcher.watch({ prefix: "k" });
  const fast = watcher.watch({ prefix: "k" });
  const { revision: before } = await slow.ready();
  await fast.ready();
  const rounds = 40;
  const value = new Uint8Array(8 * 1024);
  const quick = take(rounds * 50, fast);
  for (let round = 0; round < rounds; round += 1) {
    const operations = Array.from({ length: 50 }, (_, index) => put(`k${round}/${index}`, value));
    await kv.batch(operations);
  }
  t.is((await quick).length, rounds * 50);
  let expected = before;
  for await (const event of slow) {
    expected += 1;
    if (event.revision !== expected) t.fail(`${event.revision} came instead of ${expected}`);
    if (expected === before + rounds * 50) break;
  }
  t.is(expected, before + rounds * 50);
});

test("a txn larger than the queue comes in fragments, each marked but the last", async (t) => {
  const { kv } = await serve(t, { limits: { watcherQueueMaxBytes: 64 * 1024 } });
  const watch = kv.watch({ all: true });
  await watch.ready();
  const value = new Uint8Array(10 * 1024);
  const count = 300;
  const success = Array.from({ length: count }, (_, index) => put(`k${index}`, value));
  const { revision } = await kv.txn({ success });
  const fragments: boolean[] = [];
  const keys = new Set<string>();
  for await (const step of watch.steps()) {
    if (step.kind !== "events") continue;
    t.is(step.revision, revision);
    fragments.push(step.fragment);
    for (const event of step.events) keys.add(event.key);
    if (!step.fragment) break;
  }
  t.is(keys.size, count);
  t.true(fragments.slice(0, -1).every(Boolean));
});
