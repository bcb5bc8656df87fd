// Renewals over one stream, against a scripted server: who gets which answer, and when the stream
// ends.

import { status } from "@grpc/grpc-js";
import test from "ava";
import { KvdClientError } from "../../../client/index.js";
import type { KeepAliveRequest } from "../../../gen/grpc/kvd/v1/lease.js";
import { connectScript, type KeepAliveCall, refusal, signalled } from "./scripted.js";

function answering(ttlSeconds: (id: bigint) => number) {
  const streams: KeepAliveCall[] = [];
  const keepAlive = (call: KeepAliveCall) => {
    streams.push(call);
    call.on("data", ({ id }: KeepAliveRequest) =>
      call.write({ id, ttl: { seconds: BigInt(ttlSeconds(id)), nanos: 0 } }),
    );
    call.on("end", () => call.end());
  };
  return { streams, keepAlive };
}

test("renewals share one stream, and each gets its own answer", async (t) => {
  const { streams, keepAlive } = answering(Number);
  const kv = await connectScript(t, { lease: { keepAlive } });
  const ids = Array.from({ length: 50 }, (_, index) => BigInt(index + 1));
  const answers = await Promise.all(ids.map((id) => kv.lease.keepAlive(id)));
  t.deepEqual(
    answers,
    ids.map((id) => Number(id) * 1000),
  );
  t.is(await kv.lease.keepAlive(7n), 7000);
  t.is(streams.length, 1);
});

test("a lease that is gone is undefined", async (t) => {
  const { keepAlive } = answering(() => 0);
  const kv = await connectScript(t, { lease: { keepAlive } });
  t.is(await kv.lease.keepAlive(7n), undefined);
});

test("close ends the stream, also on a server that would not", async (t) => {
  const ended = signalled();
  const keepAlive = (call: KeepAliveCall) => {
    call.on("data", ({ id }: KeepAliveRequest) => call.write({ id, ttl: undefined }));
    call.on("cancelled", () => ended.settle());
  };
  const kv = await connectScript(t, { lease: { keepAlive } });
  await kv.lease.keepAlive(7n);
  await kv.close();
  await ended.happened;
  t.pass();
});

test("a renewal that gave up does not take the answer of the next", async (t) => {
  const requests: bigint[] = [];
  const both = signalled<KeepAliveCall>();
  const keepAlive = (call: KeepAliveCall) => {
    call.on("data", ({ id }: KeepAliveRequest) => {
      requests.push(id);
      if (requests.length === 2) both.settle(call);
    });
  };
  const kv = await connectScript(t, { lease: { keepAlive } });
  const controller = new AbortController();
  const { signal } = controller;
  const first = t.throwsAsync(kv.lease.keepAlive(1n, { signal }), { instanceOf: KvdClientError });
  const second = kv.lease.keepAlive(2n);
  const call = await both.happened;
  controller.abort("enough");
  const error = await first;
  t.is(error?.code, "CANCELLED");
  t.is(error?.cause, "enough");
  for (const id of requests) call.write({ id, ttl: { seconds: id, nanos: 0 } });
  t.is(await second, 2000);
});

test("when every renewal gave up, the stream is given up and the next opens another", async (t) => {
  const arrived = signalled();
  const canceled = signalled();
  let streams = 0;
  const keepAlive = (call: KeepAliveCall) => {
    streams += 1;
    call.on("cancelled", () => canceled.settle());
    call.on("data", ({ id }: KeepAliveRequest) => {
      if (id === 1n) arrived.settle();
      else call.write({ id, ttl: { seconds: 5n, nanos: 0 } });
    });
  };
  const kv = await connectScript(t, { lease: { keepAlive } });
  const controller = new AbortController();
  const { signal } = controller;
  const outcome = t.throwsAsync(kv.lease.keepAlive(1n, { signal }), { instanceOf: KvdClientError });
  await arrived.happened;
  controller.abort();
  t.is((await outcome)?.code, "CANCELLED");
  await canceled.happened;
  t.is(await kv.lease.keepAlive(2n), 5000);
  t.is(streams, 2);
});

test("a renewal that gets no answer ends at its deadline", async (t) => {
  const kv = await connectScript(t, { lease: { keepAlive: () => {} } });
  await kv.ready();
  const late = kv.lease.keepAlive(1n, { timeout: "20ms" });
  const error = await t.throwsAsync(late, { instanceOf: KvdClientError });
  t.is(error?.code, "DEADLINE_EXCEEDED");
});

test("a stream that breaks fails all that waited, and the next opens another", async (t) => {
  let streams = 0;
  const keepAlive = (call: KeepAliveCall) => {
    streams += 1;
    const first = streams === 1;
    let requests = 0;
    call.on("data", ({ id }: KeepAliveRequest) => {
      requests += 1;
      if (!first) call.write({ id, ttl: { seconds: 5n, nanos: 0 } });
      else if (requests === 3) call.emit("error", refusal(status.UNAVAILABLE, "SHUTTING_DOWN"));
    });
  };
  const kv = await connectScript(t, { lease: { keepAlive } }, { retry: false });
  const outcomes = await Promise.allSettled([1n, 2n, 3n].map((id) => kv.lease.keepAlive(id)));
  for (const outcome of outcomes) {
    t.is(outcome.status === "rejected" && outcome.reason.reason, "SHUTTING_DOWN");
  }
  t.is(await kv.lease.keepAlive(1n), 5000);
});

test("a renewal whose signal is aborted before it is never sent", async (t) => {
  const { streams, keepAlive } = answering(Number);
  const kv = await connectScript(t, { lease: { keepAlive } });
  const signal = AbortSignal.abort();
  await t.throwsAsync(kv.lease.keepAlive(1n, { signal }), { instanceOf: KvdClientError });
  t.is(streams.length, 0);
});

test("a renewal whose stream breaks is sent again on another", async (t) => {
  let streams = 0;
  const keepAlive = (call: KeepAliveCall) => {
    streams += 1;
    const isFirst = streams === 1;
    call.on("data", ({ id }: KeepAliveRequest) => {
      if (isFirst) call.emit("error", refusal(status.UNAVAILABLE, "SHUTTING_DOWN"));
      else call.write({ id, ttl: { seconds: 5n, nanos: 0 } });
    });
  };
  const kv = await connectScript(t, { lease: { keepAlive } });
  t.deepEqual(await Promise.all([kv.lease.keepAlive(1n), kv.lease.keepAlive(2n)]), [5000, 5000]);
  t.is(streams, 2);
});
