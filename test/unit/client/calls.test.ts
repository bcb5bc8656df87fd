// Unary calls against a scripted server: deadlines, aborts, answers that make no sense, the end.
// What a real server answers is tested in kv.test.ts.

import { status } from "@grpc/grpc-js";
import test from "ava";
import { connect, KvdClientError } from "../../../client/index.js";
import { GetResponse, KvServiceService } from "../../../gen/grpc/kvd/v1/kv.js";
import {
  type Answer,
  connectScript,
  connectTo,
  rawAnswers,
  refusal,
  serveScript,
  signalled,
  type Unary,
} from "./scripted.js";

type Get = Unary<unknown, GetResponse>;

/** A port where nobody listens, and that no system gives to anybody who asks for a free one. */
const CLOSED_PORT = 1;

test("a call whose signal is aborted before it is never sent", async (t) => {
  let calls = 0;
  const get: Get = (_, answer) => {
    calls += 1;
    answer(null, GetResponse.fromPartial({}));
  };
  const kv = await connectScript(t, { kv: { get } });
  const reason = new Error("no more");
  const signal = AbortSignal.abort(reason);
  const error = await t.throwsAsync(kv.get("a", { signal }), { instanceOf: KvdClientError });
  t.is(error?.code, "CANCELLED");
  t.is(error?.cause, reason);
  await kv.get("a");
  t.is(calls, 1);
});

test("a call that is aborted while it waits is canceled on the server too", async (t) => {
  const arrived = signalled();
  const canceled = signalled();
  const get: Get = (call) => {
    call.on("cancelled", () => canceled.settle());
    arrived.settle();
  };
  const kv = await connectScript(t, { kv: { get } });
  const controller = new AbortController();
  const outcome = t.throwsAsync(kv.get("a", { signal: controller.signal }), {
    instanceOf: KvdClientError,
  });
  await arrived.happened;
  controller.abort("enough");
  const error = await outcome;
  t.is(error?.code, "CANCELLED");
  t.is(error?.reason, undefined);
  t.is(error?.cause, "enough");
  await canceled.happened;
});

test("a call that gets no answer ends at its deadline", async (t) => {
  const kv = await connectScript(t, { kv: { get: () => {} } });
  await kv.ready();
  const error = await t.throwsAsync(kv.get("a", { timeout: "20ms" }), {
    instanceOf: KvdClientError,
  });
  t.is(error?.code, "DEADLINE_EXCEEDED");
  t.is(error?.reason, undefined);
});

test("a call has the connection's deadline unless it says another, and 0 means none", async (t) => {
  const deadlines: number[] = [];
  const get: Get = (call, answer) => {
    deadlines.push(Number(call.getDeadline()));
    answer(null, GetResponse.fromPartial({}));
  };
  const kv = await connectScript(t, { kv: { get } });
  await kv.get("a");
  await kv.get("a", { timeout: "1h" });
  await kv.get("a", { timeout: 0 });
  await kv.get("a", { timeout: "3650d" });
  const [byDefault = 0, hour = 0, none, long] = deadlines;
  t.true(byDefault < hour && Number.isFinite(hour));
  t.is(none, Number.POSITIVE_INFINITY);
  t.true(Number.isFinite(long));
});

test("a timeout that is none is refused before anything is sent", async (t) => {
  const kv = await connectScript(t, {});
  await t.throwsAsync(kv.get("a", { timeout: "soon" }), { instanceOf: TypeError });
  await t.throwsAsync(kv.get("a", { timeout: -1 }), { instanceOf: TypeError });
});

test("an error names the place in the caller's program", async (t) => {
  const get: Get = (_, answer) => answer(refusal(status.NOT_FOUND, "LEASE_NOT_FOUND"));
  const kv = await connectScript(t, { kv: { get } });
  async function whereTheCallWasMade() {
    await kv.get("a");
  }
  const error = await t.throwsAsync(whereTheCallWasMade(), { instanceOf: KvdClientError });
  t.regex(error?.stack ?? "", /^KvdClientError: refused\n[\s\S]*whereTheCallWasMade/);
});

test("an answer that is not the message is INTERNAL", async (t) => {
  const kvAnswering = async (bytes: readonly number[]) => {
    const get = (_: unknown, answer: Answer<Buffer>) => answer(null, Buffer.from(bytes));
    return connectTo(t, await serveScript(t, { kv: { get } }, rawAnswers(KvServiceService, "get")));
  };
  const truncated = await kvAnswering([0x12, 0x7f]);
  t.is((await t.throwsAsync<KvdClientError>(truncated.get("a")))?.code, "INTERNAL");
  // kv { key: "\xff" }
  const notText = await kvAnswering([0x12, 0x03, 0x0a, 0x01, 0xff]);
  t.is((await t.throwsAsync<KvdClientError>(notText.get("a")))?.code, "INTERNAL");
  // kv {}
  const withoutKey = await kvAnswering([0x12, 0x00]);
  t.is((await t.throwsAsync<KvdClientError>(withoutKey.get("a")))?.code, "INTERNAL");
});

test("a number beyond 2^53 - 1 in an answer is an error, not another number", async (t) => {
  const keyForm = { $case: "key", value: "a" } as const;
  const get: Get = (_, answer) =>
    answer(null, GetResponse.fromPartial({ kv: { keyForm, modRevision: 2n ** 53n } }));
  const kv = await connectScript(t, { kv: { get } });
  const error = await t.throwsAsync(kv.get("a"), { instanceOf: KvdClientError });
  t.is(error?.code, "INTERNAL");
});

test("an answer above responseMaxBytes is RESOURCE_EXHAUSTED", async (t) => {
  const keyForm = { $case: "key", value: "a" } as const;
  const get: Get = (_, answer) =>
    answer(null, GetResponse.fromPartial({ kv: { keyForm, value: new Uint8Array(2000) } }));
  const address = await serveScript(t, { kv: { get } });
  const error = await t.throwsAsync(connectTo(t, address, { responseMaxBytes: 1000 }).get("a"), {
    instanceOf: KvdClientError,
  });
  t.is(error?.code, "RESOURCE_EXHAUSTED");
  t.is((await connectTo(t, address).get("a"))?.bytes.length, 2000);
});

test("bytes that are passed in may be changed as soon as the call is made", async (t) => {
  const seen: Uint8Array[] = [];
  const put: Unary<{ value: Uint8Array }, unknown> = (call, answer) => {
    seen.push(call.request.value);
    answer(null, { revision: 2n, previous: undefined, leaseId: 0n, ttl: undefined });
  };
  const kv = await connectScript(t, { kv: { put } });
  const value = Uint8Array.from([1, 2, 3]);
  const done = kv.put("a", value);
  value.fill(9);
  await done;
  t.deepEqual([...(seen[0] ?? [])], [1, 2, 3]);
});

test("close lets calls in flight have their answers, and refuses new ones", async (t) => {
  const arrived = signalled<Answer<GetResponse>>();
  const get: Get = (_, answer) => arrived.settle(answer);
  const kv = await connectScript(t, { kv: { get } });
  const inFlight = kv.get("a");
  const answer = await arrived.happened;
  const closed = kv.close();
  const error = await t.throwsAsync(kv.get("b"), { instanceOf: KvdClientError });
  t.is(error?.code, "CANCELLED");
  t.throws(() => kv.watch("b"), { instanceOf: KvdClientError });
  await t.throwsAsync(kv.lease.keepAlive(7n), { instanceOf: KvdClientError });
  answer(null, GetResponse.fromPartial({}));
  t.is(await inFlight, undefined);
  await closed;
  await kv.close();
  await kv[Symbol.asyncDispose]();
});

test("a client that was never used can be closed", async (t) => {
  await connect("127.0.0.1:7856").close();
  t.pass();
});

test("without a server, a call is UNAVAILABLE and says where it looked", async (t) => {
  const port = CLOSED_PORT;
  const once = connectTo(t, `127.0.0.1:${port}`, { retry: false });
  const patient = connectTo(t, `127.0.0.1:${port}`, { timeout: 50 });
  for (const kv of [once, patient]) {
    for (const call of [kv.get("a"), kv.put("a", ""), kv.lease.keepAlive(7n)]) {
      const error = await t.throwsAsync(call, { instanceOf: KvdClientError });
      t.is(error?.code, "UNAVAILABLE");
      t.true(error?.message.includes(`127.0.0.1:${port}`));
    }
  }
});

test("ready tells that nobody listens from that nobody answers", async (t) => {
  const timeout = 50;
  const nobody = connectTo(t, `127.0.0.1:${CLOSED_PORT}`);
  const absent = await t.throwsAsync(nobody.ready({ timeout }), { instanceOf: KvdClientError });
  t.is(absent?.code, "UNAVAILABLE");
  const get: Get = (_, answer) => answer(null, GetResponse.fromPartial({}));
  const mute = await connectScript(t, { kv: { get }, maintenance: { status: () => {} } });
  await mute.get("a");
  const silent = await t.throwsAsync(mute.ready({ timeout }), { instanceOf: KvdClientError });
  t.is(silent?.code, "DEADLINE_EXCEEDED");
});

test("ready resolves once the server answers, and can be aborted before", async (t) => {
  await (await connectScript(t, {})).ready();
  const nobody = connectTo(t, `127.0.0.1:${CLOSED_PORT}`);
  const controller = new AbortController();
  const waiting = t.throwsAsync(nobody.ready({ timeout: 0, signal: controller.signal }), {
    instanceOf: KvdClientError,
  });
  controller.abort();
  t.is((await waiting)?.code, "CANCELLED");
});

test("close does not wait for a server that ready() waits for", async (t) => {
  const kv = connectTo(t, `127.0.0.1:${CLOSED_PORT}`);
  const waiting = t.throwsAsync(kv.ready({ timeout: 0 }), { instanceOf: KvdClientError });
  await kv.close();
  t.is((await waiting)?.code, "CANCELLED");
});

test("close does not wait for calls without a connection", async (t) => {
  const kv = connectTo(t, `127.0.0.1:${CLOSED_PORT}`, { timeout: 0 });
  const calls = [kv.get("a"), kv.put("a", ""), kv.lease.keepAlive(7n)];
  const ended = calls.map((call) => t.throwsAsync(call, { instanceOf: KvdClientError }));
  await kv.close();
  for (const error of await Promise.all(ended)) t.is(error?.code, "CANCELLED");
});

test("many calls with one signal leave no listener and no warning behind", async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  t.teardown(() => process.off("warning", note));
  const get: Get = (_, answer) => answer(null, GetResponse.fromPartial({}));
  const kv = await connectScript(t, { kv: { get } });
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 100 }, () => kv.get("a", { signal })));
  await new Promise(setImmediate);
  t.deepEqual(warnings, []);
});
