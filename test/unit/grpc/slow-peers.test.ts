// Peers of watches that do not read: what is held for them is bounded, and ends.

import { type ClientReadableStream, status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import type { MultiWatchResponse, WatchResponse } from "../../../gen/grpc/kvd/v1/watch.js";
import { errorInfoOf, logStream } from "../../support/grpc-service.js";
import { serveKvd, watchRequest } from "../../support/kvd-server.js";
import { ManualClock } from "../../support/manual-clock.js";

const MIB = 1024 * 1024;
const IDLE_MAX_MS = 300_000;
const VALUE = Buffer.alloc(64 * 1024, "x");
const VALUES = 200;

async function serve(t: ExecutionContext) {
  const clock = new ManualClock();
  const kvd = await serveKvd(t, { clock });
  const write = async () => {
    for (let count = 0; count < VALUES; count += 1) await kvd.put(`key${count}`, VALUE);
  };
  /** As far as the peer lets them, the messages are in the transport. */
  const settle = async () => {
    for (let round = 0; round < 20; round += 1) await clock.settle();
  };
  const counter = async (name: string) => (await kvd.engine.status()).counters[name] ?? Number.NaN;
  return { ...kvd, clock, write, settle, counter };
}

/** The first message, and nothing after it. */
function readOne<T>(call: ClientReadableStream<T>): Promise<T> {
  return new Promise((resolve) => {
    call.once("data", (message: T) => {
      call.pause();
      resolve(message);
    });
  });
}

async function stalledWatch(t: ExecutionContext) {
  const kvd = await serve(t);
  const call = kvd.client.watch(watchRequest());
  t.teardown(() => call.cancel());
  call.on("error", () => {});
  await readOne(call);
  await kvd.write();
  await kvd.settle();
  return { ...kvd, call };
}

test("what a watch holds for a peer that does not read is bounded", async (t) => {
  const { counter } = await stalledWatch(t);
  t.true((await counter("queued_bytes")) <= MIB);
  t.true((await counter("watchers_unsynced")) > 0, "it will catch up from history");
});

test("a peer that reads again catches up without a gap", async (t) => {
  const { call, engine } = await stalledWatch(t);
  const log = logStream<WatchResponse>(call);
  call.resume();
  const keys: string[] = [];
  for (let count = 1; keys.length < VALUES; count += 1) {
    const message = (await log.received(count))[count - 1];
    if (message?.kind?.$case !== "events") continue;
    for (const { kv } of message.kind.value.events) keys.push(String(kv?.keyForm?.value));
  }
  t.deepEqual(
    keys,
    Array.from({ length: VALUES }, (_, index) => `key${index}`),
  );
  t.is((await engine.status()).watchers, 1);
});

test("a peer that takes nothing for too long loses its watch, and is told if it reads", async (t) => {
  const { call, clock, engine } = await stalledWatch(t);
  await clock.advanceAndSettle(IDLE_MAX_MS * 1.2);
  t.is((await engine.status()).watchers, 0);
  const log = logStream<WatchResponse>(call);
  call.resume();
  const end = await log.status;
  t.is(end.code, status.RESOURCE_EXHAUSTED);
  const { reason, metadata = {} } = errorInfoOf(end) ?? {};
  t.is(reason, "WATCHER_TOO_SLOW");
  const { resume_revision: resumeRevision = 0 } = metadata;
  const last = log.messages.at(-1)?.revision ?? 0n;
  t.is(last + 1n, BigInt(resumeRevision), "there is no gap between what was given and that");
});

test("a peer that does not read then either is reset, so that nothing is held for it", async (t) => {
  const { call, clock } = await stalledWatch(t);
  const ended = new Promise<{ readonly code: number }>((resolve) => call.on("status", resolve));
  await clock.advanceAndSettle(IDLE_MAX_MS * 1.2);
  await clock.advanceAndSettle(10_000);
  call.resume();
  t.is((await ended).code, status.RESOURCE_EXHAUSTED);
});

test("many watches of one stream that is not read end together with it", async (t) => {
  const { client, clock, write, settle, engine } = await serve(t);
  const call = client.multiWatch();
  t.teardown(() => call.cancel());
  call.on("error", () => {});
  for (let id = 1n; id <= 20n; id += 1n) {
    call.write({ command: { $case: "create", value: { id, watch: watchRequest() } } });
  }
  await readOne(call);
  await settle();
  t.is((await engine.status()).watchers, 20);
  await write();
  await settle();
  await clock.advanceAndSettle(IDLE_MAX_MS * 1.2);
  t.is((await engine.status()).watchers, 0);
  const log = logStream<MultiWatchResponse>(call);
  call.resume();
  t.is(errorInfoOf(await log.status)?.reason, "WATCHER_TOO_SLOW");
});

test("a peer that reads slowly keeps its watch", async (t) => {
  const { call, clock, engine } = await stalledWatch(t);
  let received = 0;
  for (let wanted = 40; wanted <= VALUES; wanted += 40) {
    await clock.advanceAndSettle(IDLE_MAX_MS * 0.8);
    await new Promise<void>((resolve) => {
      const take = ({ kind }: WatchResponse) => {
        received += kind?.$case === "events" ? kind.value.events.length : 0;
        if (received < wanted) return;
        call.off("data", take);
        call.pause();
        resolve();
      };
      call.on("data", take);
      call.resume();
    });
  }
  t.is((await engine.status()).watchers, 1);
});
