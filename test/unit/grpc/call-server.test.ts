// What makes a request a call: its head, and the time that it gives its answer.

import { constants } from "node:http2";
import { status } from "@grpc/grpc-js";
import test from "ava";
import { CallError } from "../../../server/grpc/call-error.js";
import { callFields } from "../../../server/grpc/call-fields.js";
import {
  framed,
  MANY,
  ONCE,
  post,
  request,
  STREAM,
  serveEcho,
} from "../../support/echo-service.js";

const HELLO = framed("hello");

for (const type of [
  "application/grpc",
  "application/grpc+proto",
  "application/grpc;charset=utf-8",
  "Application/gRPC",
]) {
  test(`a call can be of ${type}`, async (t) => {
    const { session } = await serveEcho(t);
    const answer = await post(session, ONCE, HELLO, { "content-type": type });
    t.like(answer, { httpStatus: 200, code: status.OK, resetCode: 0 });
    t.is(answer.head["content-type"], "application/grpc");
    t.deepEqual(answer.body, HELLO);
  });
}

for (const type of ["text/plain", "application/grpc+json", "application/grpcx", undefined]) {
  test(`${type ?? "a body of no type"} is none of gRPC: 415`, async (t) => {
    const { session } = await serveEcho(t);
    const answer = await post(session, ONCE, HELLO, { "content-type": type });
    t.like(answer, { httpStatus: 415, code: Number.NaN, resetCode: 0 });
  });
}

for (const method of ["GET", "PUT"]) {
  test(`${method} is no call: 405`, async (t) => {
    const { session } = await serveEcho(t);
    const { answer } = request(session, ONCE, { ":method": method }, { endStream: true });
    t.like(await answer, { httpStatus: 405, code: Number.NaN, resetCode: 0 });
    t.is((await answer).head["allow"], "POST");
  });
}

for (const path of ["/", "/test.Echo/None", "/test.None/Once", "/test.Echo", `${ONCE}/`, "*"]) {
  test(`${path} is no method`, async (t) => {
    const { session } = await serveEcho(t);
    const answer = await post(session, path, HELLO);
    t.like(answer, { httpStatus: 200, code: status.UNIMPLEMENTED, resetCode: 0 });
    t.true(answer.details.includes(path));
  });
}

test("a path of any length fits the answer that does not know it", async (t) => {
  const { session } = await serveEcho(t);
  const answer = await post(session, `/${"ü%".repeat(1000)}`, HELLO);
  t.is(answer.code, status.UNIMPLEMENTED);
  t.true(answer.details.length < 1000);
});

function timeoutOf(value: string): number | undefined {
  const fields = [
    { name: "content-type", value: "application/grpc" },
    { name: "grpc-timeout", value },
  ];
  const head = { method: "POST", path: ONCE, authority: "", fields, contentBytes: undefined };
  return callFields(head)?.timeoutMs;
}

test("a timeout is read in every unit", (t) => {
  t.is(timeoutOf("2H"), 7_200_000);
  t.is(timeoutOf("2M"), 120_000);
  t.is(timeoutOf("2S"), 2_000);
  t.is(timeoutOf("2m"), 2);
  t.is(timeoutOf("2000u"), 2);
  t.is(timeoutOf("2000000n"), 2);
  t.is(timeoutOf("0S"), 0);
  t.is(timeoutOf("99999999H"), 99_999_999 * 3_600_000);
});

for (const value of ["", "5", "S", "-1S", "123456789S", "5s", "5 S", "1.5S", "0x5S", "５S"]) {
  test(`"${value}" is no timeout`, (t) => {
    const error = t.throws(() => timeoutOf(value), { instanceOf: CallError });
    t.is(error?.code, status.INTERNAL);
  });
}

test("a timeout that is malformed is told, and one that is long is no short one", async (t) => {
  const { session } = await serveEcho(t, {
    handlers: { once: (call, answer) => setImmediate(() => answer(null, call.request)) },
  });
  const bad = await post(session, ONCE, HELLO, { "grpc-timeout": "soon" });
  t.is(bad.code, status.INTERNAL);
  const long = await post(session, ONCE, HELLO, { "grpc-timeout": "99999999H" });
  t.is(long.code, status.OK);
});

for (const value of ["5m", "5000u", "5000000n", "0S"]) {
  test(`a handler that waits longer than ${value} is told, and its caller`, async (t) => {
    let told = () => {};
    const cancelled = new Promise<void>((resolve) => {
      told = resolve;
    });
    const { session } = await serveEcho(t, {
      handlers: { once: (call) => call.once("cancelled", told) },
    });
    const answer = await post(session, ONCE, HELLO, { "grpc-timeout": value });
    t.like(answer, { code: status.DEADLINE_EXCEEDED, resetCode: 0 });
    await cancelled;
  });
}

test("the time of a stream runs from its head on", async (t) => {
  let told = () => {};
  const cancelled = new Promise<void>((resolve) => {
    told = resolve;
  });
  const { session } = await serveEcho(t, {
    handlers: { stream: (call) => call.once("cancelled", told) },
  });
  const { stream, answer } = request(session, STREAM, { "grpc-timeout": "5m" });
  stream.write(HELLO);
  t.like(await answer, { code: status.DEADLINE_EXCEEDED, resetCode: 0 });
  await cancelled;
});

test("answers that nobody has taken in time go with their call", async (t) => {
  let told = () => {};
  const cancelled = new Promise<void>((resolve) => {
    told = resolve;
  });
  const { session } = await serveEcho(t, {
    handlers: {
      many: (call) => {
        call.once("cancelled", told);
        call.write(Buffer.alloc(1024 * 1024));
      },
    },
  });
  const { stream, answer } = request(session, MANY, { "grpc-timeout": "20m" });
  stream.pause();
  stream.end(HELLO);
  await cancelled;
  stream.resume();
  t.is((await answer).resetCode, constants.NGHTTP2_CANCEL);
});

test("an answer that is in time ends the time", async (t) => {
  const { session } = await serveEcho(t);
  const answer = await post(session, ONCE, HELLO, { "grpc-timeout": "1S" });
  t.like(answer, { code: status.OK });
});
