// Watch and MultiWatch through grpc-js: their steps, their ends, and that nothing stays behind.

import { type ClientDuplexStream, status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import type {
  MultiWatchRequest,
  MultiWatchResponse,
  WatchRequest,
  WatchResponse,
} from "../../../gen/grpc/kvd/v1/watch.js";
import { systemClock } from "../../../server/lib/clock.js";
import { errorInfoOf, logStream, type StreamLog } from "../../support/grpc-service.js";
import { type KvdOptions, serveKvd, watchRequest } from "../../support/kvd-server.js";

async function serve(t: ExecutionContext, options: KvdOptions = {}) {
  const kvd = await serveKvd(t, options);
  const watch = (request: Partial<WatchRequest> = {}) => {
    const call = kvd.client.watch(watchRequest(request));
    t.teardown(() => call.cancel());
    return { call, ...logStream<WatchResponse>(call) };
  };
  const multiWatch = () => {
    const call = kvd.client.multiWatch();
    t.teardown(() => call.cancel());
    return { ...commandsOf(call), ...logStream<MultiWatchResponse>(call) };
  };
  const watchers = async () => (await kvd.engine.status()).watchers;
  /** The test's timeout is the deadline. */
  const watchersAre = async (count: number) => {
    while ((await watchers()) !== count) await systemClock.yieldTurn();
  };
  return { ...kvd, watch, multiWatch, watchers, watchersAre };
}

function commandsOf(call: ClientDuplexStream<MultiWatchRequest, MultiWatchResponse>) {
  const write = (command: MultiWatchRequest["command"]) => call.write({ command });
  return {
    call,
    create: (id: bigint, request: Partial<WatchRequest> = {}) =>
      write({ $case: "create", value: { id, watch: watchRequest(request) } }),
    cancel: (id: bigint) => write({ $case: "cancel", value: { id } }),
    progress: (id: bigint) => write({ $case: "progress", value: { id } }),
    empty: () => write(undefined),
  };
}

/** Steps in short: "created", "events 3", "ended 20". */
function steps(log: Pick<StreamLog<MultiWatchResponse>, "messages">, id: bigint): string[] {
  return log.messages
    .filter((message) => message.id === id)
    .map(({ step }) => {
      if (step?.$case === "ended") return `ended ${step.value.reason}`;
      const { kind, revision } = step?.value ?? {};
      return kind?.$case === "created" ? "created" : `${kind?.$case} ${revision}`;
    });
}

/** Waits until so many steps of an id have come. */
async function stepsOf(log: StreamLog<MultiWatchResponse>, id: bigint, count: number) {
  while (steps(log, id).length < count) await log.received(log.messages.length + 1);
  return steps(log, id);
}

const kinds = (messages: readonly WatchResponse[]) => messages.map(({ kind }) => kind?.$case);

test("a watch is created, then tells each change in its revision", async (t) => {
  const { watch, put } = await serve(t);
  const log = watch({ selector: { $case: "prefix", value: "a" } });
  await log.received(1);
  await put("a1", "x");
  await put("b1", "x");
  await put("a2", "x");
  const messages = await log.received(3);
  t.deepEqual(kinds(messages), ["created", "events", "events"]);
  t.deepEqual(
    messages.map(({ revision }) => revision),
    [1n, 2n, 4n],
  );
});

test("include_current gives the entries, synced, then events", async (t) => {
  const { watch, put } = await serve(t);
  await put("a", "x");
  const log = watch({ includeCurrent: true });
  await log.received(3);
  await put("b", "x");
  t.deepEqual(kinds(await log.received(4)), ["created", "current", "synced", "events"]);
});

test("entries that do not fit one message come in several, all of one revision", async (t) => {
  const { watch, put } = await serve(t);
  const value = Buffer.alloc(50_000);
  const keys = ["a", "b", "c", "d", "e"];
  for (const key of keys) await put(key, value);
  const log = watch({ includeCurrent: true });
  while (log.messages.at(-1)?.kind?.$case !== "synced") await log.received(log.messages.length + 1);
  const pages = log.messages.flatMap(({ kind }) => (kind?.$case === "current" ? [kind.value] : []));
  t.true(pages.length > 1 && pages.length < keys.length, String(pages.length));
  const given = pages.flatMap(({ kvs }) => kvs.map(({ keyForm }) => keyForm?.value));
  t.deepEqual(given, keys);
  t.deepEqual([...new Set(log.messages.map(({ revision }) => revision))], [6n]);
});

test("a quiet watch tells its progress", async (t) => {
  const { watch } = await serve(t);
  const log = watch({ progressInterval: { seconds: 0n, nanos: 100_000_000 } });
  t.deepEqual(kinds(await log.received(3)), ["created", "progress", "progress"]);
});

test("a bad request is refused with its reason, before anything is created", async (t) => {
  const { watch, watchers } = await serve(t);
  const log = watch({ startRevision: 1n, includeCurrent: true });
  const end = await log.status;
  t.is(end.code, status.INVALID_ARGUMENT);
  t.like(errorInfoOf(end), {
    reason: "FIELD_CONFLICT",
    domain: "kvd.v1",
    metadata: { fields: "start_revision,include_current" },
  });
  t.is(log.messages.length, 0);
  t.is(await watchers(), 0);
});

test("below the compact revision a watch is created and then ends with it", async (t) => {
  const { watch, put, engine } = await serve(t);
  await put("a", "1");
  await put("a", "2");
  await put("a", "3");
  await engine.compact({ revision: 3 });
  const log = watch({ startRevision: 2n });
  const end = await log.status;
  t.is(end.code, status.OUT_OF_RANGE);
  t.like(errorInfoOf(end), { reason: "REVISION_COMPACTED", metadata: { compact_revision: "3" } });
  t.deepEqual(kinds(log.messages), ["created"]);
});

test("a watch of another store ends with STORE_CHANGED", async (t) => {
  const { watch, engine } = await serve(t);
  const end = await watch({ storeId: "another" }).status;
  t.is(end.code, status.FAILED_PRECONDITION);
  t.like(errorInfoOf(end), { reason: "STORE_CHANGED", metadata: { store_id: engine.storeId } });
});

test("more watches than the limit are refused", async (t) => {
  const { watch } = await serve(t, { limits: { watchersMax: 1 } });
  await watch().received(1);
  const end = await watch().status;
  t.is(end.code, status.RESOURCE_EXHAUSTED);
  t.is(errorInfoOf(end)?.reason, "TOO_MANY_WATCHERS");
});

test("a watch that its client cancels is freed", async (t) => {
  const { watch, watchers, watchersAre } = await serve(t);
  const log = watch();
  await log.received(1);
  t.is(await watchers(), 1);
  log.call.cancel();
  await watchersAre(0);
  t.pass();
});

test("the stop of the server ends a watch with the revision to go on with", async (t) => {
  const { watch, put, server } = await serve(t);
  const log = watch();
  await log.received(1);
  await put("a", "1");
  await log.received(2);
  await server.close();
  const end = await log.status;
  t.is(end.code, status.UNAVAILABLE);
  t.like(errorInfoOf(end), { reason: "SHUTTING_DOWN", metadata: { resume_revision: "3" } });
});

test("many watches share a stream, each with its own steps", async (t) => {
  const { multiWatch, put } = await serve(t);
  const log = multiWatch();
  log.create(1n, { selector: { $case: "key", value: "a" } });
  log.create(-2n, { selector: { $case: "key", value: "b" } });
  await log.received(2);
  await put("a", "1");
  await put("b", "1");
  await put("a", "2");
  await log.received(5);
  t.deepEqual(steps(log, 1n), ["created", "events 2", "events 4"]);
  t.deepEqual(steps(log, -2n), ["created", "events 3"]);
});

test("a canceled watch tells its end and frees its id, the others go on", async (t) => {
  const { multiWatch, put, watchers } = await serve(t);
  const log = multiWatch();
  log.create(1n);
  log.create(2n);
  await log.received(2);
  log.cancel(1n);
  await stepsOf(log, 1n, 2);
  t.is(await watchers(), 1);
  await put("a", "1");
  await stepsOf(log, 2n, 2);
  log.create(1n);
  await stepsOf(log, 1n, 3);
  await put("a", "2");
  t.deepEqual(await stepsOf(log, 1n, 4), ["created", "ended 0", "created", "events 3"]);
  t.deepEqual(await stepsOf(log, 2n, 3), ["created", "events 2", "events 3"]);
});

test("a refused watch tells why, and the stream goes on", async (t) => {
  const { multiWatch } = await serve(t);
  const log = multiWatch();
  log.create(1n, { selector: undefined });
  log.call.write({ command: { $case: "create", value: { id: 2n, watch: undefined } } });
  log.create(1n);
  await log.received(3);
  t.deepEqual(steps(log, 1n), ["ended 8", "created"]);
  t.deepEqual(steps(log, 2n), ["ended 1"]);
});

test("a watch that ends tells why and where to go on, and frees its id", async (t) => {
  const { multiWatch, put, engine, watchers } = await serve(t);
  await put("a", "1");
  await put("a", "2");
  await engine.compact({ revision: 3 });
  const log = multiWatch();
  log.create(1n, { startRevision: 2n });
  t.deepEqual(await stepsOf(log, 1n, 2), ["created", "ended 40"]);
  const last = log.messages.at(-1)?.step;
  t.like(last?.value, { metadata: { compact_revision: "3" } });
  t.is(await watchers(), 0);
  log.create(1n);
  t.is((await stepsOf(log, 1n, 3)).at(-1), "created");
});

test("a watch that has much to catch up with does not hold up the others", async (t) => {
  const { multiWatch, put } = await serve(t);
  const value = Buffer.alloc(64 * 1024);
  await put("calm", "1");
  for (let count = 0; count < 100; count += 1) await put(`busy${count}`, value);
  const log = multiWatch();
  log.create(1n, { startRevision: 1n });
  log.create(2n, { startRevision: 1n, selector: { $case: "key", value: "calm" } });
  t.deepEqual(await stepsOf(log, 2n, 2), ["created", "events 2"]);
  t.true(steps(log, 1n).length < 50, "most of the other is still to come");
  t.is((await stepsOf(log, 1n, 102)).at(-1), "events 102");
});

test("an unknown id to cancel or to ask is ignored", async (t) => {
  const { multiWatch } = await serve(t);
  const log = multiWatch();
  log.cancel(7n);
  log.progress(7n);
  log.create(1n);
  await log.received(1);
  t.deepEqual(steps(log, 1n), ["created"]);
});

test("progress is told of one watch, or of all", async (t) => {
  const { multiWatch, put } = await serve(t);
  await put("a", "1");
  const log = multiWatch();
  log.create(1n);
  log.create(2n);
  await log.received(2);
  log.progress(1n);
  t.deepEqual(await stepsOf(log, 1n, 2), ["created", "progress 2"]);
  log.progress(0n);
  t.is((await stepsOf(log, 1n, 3)).at(-1), "progress 2");
  t.deepEqual(await stepsOf(log, 2n, 2), ["created", "progress 2"]);
});

test("an id that is in use ends the stream and frees its watches", async (t) => {
  const { multiWatch, watchersAre } = await serve(t);
  const log = multiWatch();
  log.create(1n);
  log.create(1n);
  const end = await log.status;
  t.is(end.code, status.INVALID_ARGUMENT);
  t.is(errorInfoOf(end)?.reason, "FIELD_CONFLICT");
  await watchersAre(0);
});

test("an empty command ends the stream", async (t) => {
  const { multiWatch } = await serve(t);
  const log = multiWatch();
  log.empty();
  t.is(errorInfoOf(await log.status)?.reason, "FIELD_MISSING");
});

test("after the client's half-close the stream ends with its last watch", async (t) => {
  const { multiWatch } = await serve(t);
  const none = multiWatch();
  none.call.end();
  t.is((await none.status).code, 0);
  const refused = multiWatch();
  refused.create(1n, { startRevision: 1n, includeCurrent: true });
  refused.call.end();
  t.is((await refused.status).code, 0);
  t.deepEqual(
    refused.messages.map(({ step }) => step?.$case),
    ["ended"],
  );
});

test("the client's half-close keeps the watches", async (t) => {
  const { multiWatch, put } = await serve(t);
  const log = multiWatch();
  log.create(1n);
  log.call.end();
  await log.received(1);
  await put("a", "1");
  t.deepEqual(await stepsOf(log, 1n, 2), ["created", "events 2"]);
});

test("a stream that its client cancels frees all of its watches", async (t) => {
  const { multiWatch, watchersAre } = await serve(t);
  const log = multiWatch();
  for (let id = 1n; id <= 100n; id += 1n) log.create(id);
  await log.received(100);
  await watchersAre(100);
  log.call.cancel();
  await watchersAre(0);
  t.pass();
});

test("the stop of the server ends each watch, then the stream", async (t) => {
  const { multiWatch, server } = await serve(t);
  const log = multiWatch();
  const idle = multiWatch();
  log.create(1n);
  log.create(2n);
  await log.received(2);
  await server.close();
  const end = await log.status;
  t.is(errorInfoOf(end)?.reason, "SHUTTING_DOWN");
  t.deepEqual(steps(log, 1n), ["created", "ended 60"]);
  t.like(log.messages.at(-1)?.step?.value, { metadata: { resume_revision: "2" } });
  t.is((await idle.status).code, status.UNAVAILABLE);
});
