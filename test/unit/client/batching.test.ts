// Single calls that travel together, against scripts: what is in which message, and what becomes of
// each call when it is late, aborted, or its stream ends.

import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { type ConnectOptions, KvdClientError } from "../../../client/index.js";
import { GetResponse } from "../../../gen/grpc/kvd/v1/kv.js";
import { type PipelineCall, pipelines } from "./pipelines.js";
import { connectScript, refusal, type Unary } from "./scripted.js";

async function connectPipelines(
  t: ExecutionContext,
  script?: (call: PipelineCall) => void,
  options: ConnectOptions = {},
) {
  const served = pipelines(script);
  const gets: string[] = [];
  const get: Unary<{ keyForm: { value: string } }, GetResponse> = (call, answer) => {
    gets.push(call.request.keyForm.value);
    answer(null, GetResponse.fromPartial({}));
  };
  const kv = await connectScript(
    t,
    { kv: { pipeline: served.rpc, get } },
    {
      batching: true,
      ...options,
    },
  );
  return { kv, served, gets };
}

const answering = (call: PipelineCall) => call.answer("value");

const failureOf = async (outcome: Promise<unknown>): Promise<KvdClientError> => {
  try {
    await outcome;
  } catch (error) {
    if (error instanceof KvdClientError) return error;
  }
  throw new Error("it should have failed with a KvdClientError");
};

test("calls of one tick travel as one message, in their order, equal gets once", async (t) => {
  const { kv, served } = await connectPipelines(t, answering);
  const outcomes = await Promise.all([
    kv.get("a"),
    kv.get("b"),
    kv.get("a"),
    kv.put("a", "1"),
    kv.get("a"),
    kv.get("a", { revision: 7 }),
    kv.get("a"),
    kv.delete("c"),
    kv.delete({ key: "d" }),
  ]);
  const words = ["get a", "get b", "put a", "get a", "get a", "delete c", "delete d"];
  t.deepEqual(
    served.messages.map((message) => message.words),
    [words],
  );
  t.is(outcomes.length, 9);
});

test("equal gets have answers of their own, which share no bytes", async (t) => {
  const { kv } = await connectPipelines(t, answering);
  const [first, second] = await Promise.all([kv.get("a"), kv.get("a")]);
  first?.bytes.fill(0);
  t.is(second?.text(), "value");
});

test("calls of later ticks use the stream that is open, and nothing else", async (t) => {
  const { kv, served, gets } = await connectPipelines(t, answering);
  for (let count = 0; count < 5; count += 1) await kv.get("a");
  t.deepEqual([served.messages.length, served.streams(), gets.length], [5, 1, 0]);
});

test("what no batch can carry, and everything without batching, goes by itself", async (t) => {
  const { kv, served } = await connectPipelines(t, answering);
  // The script has no such rpcs.
  const unbatched = [
    kv.delete({ prefix: "a" }),
    kv.delete("a", { limit: 1 }),
    kv.put("a", new Uint8Array(2 * 1024 * 1024)),
  ];
  for (const call of unbatched) t.is((await failureOf(call)).code, "UNIMPLEMENTED");
  t.is(served.messages.length, 0);
  for (const options of [{ batching: false }, { responseMaxBytes: 1024 * 1024 }]) {
    const other = await connectPipelines(t, answering, options);
    await Promise.all([other.kv.get("a"), other.kv.get("a")]);
    t.deepEqual([other.served.messages.length, other.gets.length], [0, 2]);
  }
});

test("a stream on which nothing happens is ended", async (t) => {
  const { kv, served } = await connectPipelines(t, answering);
  await kv.get("a");
  await served.untilEnded(1);
  await kv.get("a");
  t.is(served.streams(), 2);
});

test("a call that is aborted before it was sent is not sent", async (t) => {
  const { kv, served } = await connectPipelines(t, answering);
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [kv.put("a", "1", { signal }), kv.get("b", { signal }), kv.get("b"), kv.get("c")];
  const aborted = [
    failureOf(calls[0] as Promise<unknown>),
    failureOf(calls[1] as Promise<unknown>),
  ];
  controller.abort("enough");
  for (const error of await Promise.all(aborted)) {
    t.deepEqual([error.code, error.cause], ["CANCELLED", "enough"]);
  }
  await Promise.all(calls.slice(2));
  t.deepEqual(served.messages[0]?.words, ["get b", "get c"]);
});

test("a call that is late, or aborted while it waits, ends alone", async (t) => {
  const { kv, served } = await connectPipelines(t);
  await kv.ready();
  const controller = new AbortController();
  const late = failureOf(kv.get("a", { timeout: 20 }));
  const aborted = failureOf(kv.put("a", "1", { signal: controller.signal }));
  const patient = kv.get("a");
  const message = await served.message(0);
  t.is((await late).code, "DEADLINE_EXCEEDED");
  controller.abort();
  t.is((await aborted).code, "CANCELLED");
  message.answer("value");
  t.is((await patient)?.text(), "value");
});

test("when nobody waits any more the stream is given up, and the next call has another", async (t) => {
  const { kv, served } = await connectPipelines(t);
  const controller = new AbortController();
  const aborted = failureOf(kv.get("a", { signal: controller.signal }));
  await served.message(0);
  controller.abort();
  await aborted;
  await served.untilEnded(1);
  const call = kv.get("a");
  (await served.message(1)).answer("value");
  t.is((await call)?.text(), "value");
  t.is(served.streams(), 2);
});

test("a get waits for a write of its key that has no answer yet, others do not", async (t) => {
  const { kv, served } = await connectPipelines(t);
  const write = kv.put("a", "1");
  const first = await served.message(0);
  const other = kv.get("b");
  const own = kv.get("a");
  const later = kv.get("c");
  (await served.message(1)).answer();
  await other;
  t.deepEqual(
    served.messages.map(({ words }) => words.join()),
    ["put a", "get b"],
  );
  first.answer();
  await write;
  (await served.message(2)).answer();
  await Promise.all([own, later]);
  t.deepEqual(served.messages[2]?.words, ["get a", "get c"]);
});

test("a bounded number of messages is under way, and the rest waits", async (t) => {
  const { kv, served } = await connectPipelines(t);
  await kv.ready();
  const calls = Array.from({ length: 30_000 }, (_, index) => kv.get(`key ${index}`));
  await served.message(15);
  await kv.maintenance.status();
  t.is(served.messages.length, 16);
  for (let index = 0; index < 30; index += 1) (await served.message(index)).answer();
  await Promise.all(calls);
  const counts = served.messages.map(({ words }) => words.length);
  t.deepEqual(
    counts,
    Array.from({ length: 30 }, () => 1_000),
  );
});

test("messages are bounded in bytes, and what returns the previous entry begins one", async (t) => {
  const { kv, served } = await connectPipelines(t, answering);
  const value = "x".repeat(100_000);
  const writes = ["a", "b", "c"].map((key) => kv.put(key, value));
  const previous = kv.put("d", "", { returnPrevious: true });
  await Promise.all([...writes, previous, kv.get("e")]);
  const words = served.messages.map((message) => message.words);
  t.deepEqual(words, [["put a", "put b"], ["put c"], ["put d", "get e"]]);
});

test("what a stopping server has not begun is sent again, writes too, in order", async (t) => {
  const { kv, served } = await connectPipelines(t);
  const first = failureOf(kv.put("first", "1"));
  const begun = await served.message(0);
  const rest = [kv.put("second", "1"), kv.get("third"), kv.put("second", "2")];
  await served.message(1);
  const metadata = { requests_begun: "1" };
  begun.endStream(refusal(status.UNAVAILABLE, "SHUTTING_DOWN", metadata));
  // Its answer may have been lost on the way.
  const lost = await first;
  t.deepEqual([lost.code, lost.reason], ["UNAVAILABLE", undefined]);
  const again = await served.message(2);
  t.deepEqual(again.words, ["put second", "get third", "put second"]);
  again.answer();
  await Promise.all(rest);
});

test("without a word of what was begun, only reads are sent again", async (t) => {
  for (const reason of ["", "SHUTTING_DOWN"]) {
    const { kv, served } = await connectPipelines(t);
    const write = failureOf(kv.put("a", "1"));
    const read = kv.get("a");
    (await served.message(0)).endStream(refusal(status.UNAVAILABLE, reason));
    const error = await write;
    t.deepEqual([error.code, error.reason], ["UNAVAILABLE", undefined]);
    const again = await served.message(1);
    t.deepEqual(again.words, ["get a"]);
    again.answer();
    await read;
  }
});

test("a write that was begun when the disk failed says so; gets of its message go on", async (t) => {
  for (const [code, reason] of [
    [status.UNAVAILABLE, "LOG_FAILED"],
    [status.RESOURCE_EXHAUSTED, "NO_SPACE"],
  ] as const) {
    const { kv, served, gets } = await connectPipelines(t, undefined);
    const write = failureOf(kv.put("a", "1"));
    const read = kv.get("b");
    const message = await served.message(0);
    message.endStream(refusal(code, reason, { requests_begun: "1" }));
    t.is((await write).reason, reason);
    if (reason === "LOG_FAILED") (await served.message(1)).answer();
    await read;
    t.deepEqual(gets, reason === "LOG_FAILED" ? [] : ["b"]);
  }
});

test("a write that a server whose disk failed does not begin is not tried again", async (t) => {
  const { kv, served } = await connectPipelines(t);
  const write = failureOf(kv.put("a", "1"));
  const read = kv.get("b");
  const metadata = { requests_begun: "0" };
  (await served.message(0)).endStream(refusal(status.UNAVAILABLE, "LOG_FAILED", metadata));
  t.is((await write).reason, "LOG_FAILED");
  const again = await served.message(1);
  t.deepEqual(again.words, ["get b"]);
  again.answer();
  await read;
});

test("a message that is too much for the server goes in parts", async (t) => {
  let begun = 0;
  const { kv, served } = await connectPipelines(t, (call) => {
    if (call.words.length <= 2) {
      begun += 1;
      call.answer();
      return;
    }
    const metadata = { requests_begun: String(begun) };
    begun = 0;
    call.endStream(refusal(status.INVALID_ARGUMENT, "TOO_MANY_OPERATIONS", metadata));
  });
  await Promise.all(Array.from({ length: 9 }, (_, index) => kv.put(`${index}`, "")));
  const words = served.messages.filter((message) => message.words.length <= 2);
  const due = Array.from({ length: 9 }, (_, index) => `put ${index}`);
  t.deepEqual(
    words.flatMap((message) => message.words),
    due,
  );
});

test("with retry: false nothing is sent again", async (t) => {
  const { kv, served } = await connectPipelines(t, undefined, { retry: false });
  const calls = [failureOf(kv.put("a", "1")), failureOf(kv.get("a"))];
  const metadata = { requests_begun: "0" };
  const message = await served.message(0);
  message.endStream(refusal(status.UNAVAILABLE, "SHUTTING_DOWN", metadata));
  for (const error of await Promise.all(calls)) t.is(error.reason, "SHUTTING_DOWN");
  t.is(served.messages.length, 1);
});

test("an answer that is not the message is INTERNAL for every call that it was for", async (t) => {
  const { kv } = await connectPipelines(t, (call) => call.answerNothing());
  const errors = await Promise.all([failureOf(kv.put("a", "1")), failureOf(kv.get("a"))]);
  for (const { code } of errors) t.is(code, "INTERNAL");
});

test("an error names the place in the caller's program, each its own", async (t) => {
  const { kv, served } = await connectPipelines(t);
  async function oneCall() {
    await kv.put("a", "1");
  }
  async function anotherCall() {
    await kv.put("b", "1");
  }
  const errors = [failureOf(oneCall()), failureOf(anotherCall())];
  (await served.message(0)).endStream(refusal(status.UNAVAILABLE, ""));
  const [one, another] = await Promise.all(errors);
  t.regex(one?.stack ?? "", /oneCall/);
  t.regex(another?.stack ?? "", /anotherCall/);
});

test("close lets calls in flight have their answers, and ends the stream", async (t) => {
  const { kv, served } = await connectPipelines(t);
  const inFlight = kv.get("a");
  const message = await served.message(0);
  const waiting = kv.get("b");
  const closed = kv.close();
  t.is((await failureOf(kv.get("c"))).code, "CANCELLED");
  message.answer("value");
  t.is((await inFlight)?.text(), "value");
  (await served.message(1)).answer();
  await waiting;
  await closed;
  await served.untilEnded(1);
});

test("bytes that are passed in may be changed as soon as the call is made", async (t) => {
  const { kv, served } = await connectPipelines(t, answering);
  const key = Uint8Array.of(0x61, 0x62);
  const done = kv.put(key, key);
  key.fill(0x63);
  await done;
  t.deepEqual(served.messages[0]?.bytes, [[0x61, 0x62]]);
});
