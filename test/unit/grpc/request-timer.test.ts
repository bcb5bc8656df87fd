// Requests that do not arrive, and the fields of grpc-js that the transport relies on.

import { connect, constants } from "node:http2";
import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { MessageReader } from "../../../server/grpc/message-reader.js";
import type { DuplexCall, UnaryHandler } from "../../../server/grpc/service.js";
import { systemClock } from "../../../server/lib/clock.js";
import { serveCalls } from "../../support/grpc-service.js";

const echo = (bytes: Buffer) => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean) {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: echo,
    requestDeserialize: echo,
    responseSerialize: echo,
    responseDeserialize: echo,
  };
}

const ECHO = { once: method("Once", false, false), stream: method("Stream", true, true) };

const HANDLERS = {
  once: ((call, answer) => answer(null, call.request)) satisfies UnaryHandler<Buffer, Buffer>,
  stream: (call: DuplexCall<Buffer, Buffer>) => {
    call.on("data", (message: Buffer) => call.write(message));
    call.on("end", () => call.finish());
  },
};

function frame(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

async function serveEcho(t: ExecutionContext, maxMs: number) {
  const service = { definition: ECHO, handlers: HANDLERS };
  const options = { requestMaxMs: maxMs, answerMaxMs: maxMs };
  const { address, calls } = await serveCalls(t, [service], options);
  const { timer } = calls;
  const session = connect(`http://${address}`);
  t.teardown(() => session.destroy());
  const request = (path: string) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const ended = new Promise<number>((resolve) => {
      const look = (headers: Record<string, unknown>) => {
        if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
      };
      stream.on("response", look);
      stream.on("trailers", look);
    });
    const closed = new Promise<number>((resolve) => {
      stream.on("close", () => resolve(stream.rstCode ?? -1));
    });
    return { stream, ended, closed };
  };
  return { timer, request };
}

test("a body that stops in the middle is ended, and its stream closed", async (t) => {
  const { timer, request } = await serveEcho(t, 20);
  const { stream, ended, closed } = request("/test.Echo/Once");
  stream.resume();
  stream.write(frame("hello").subarray(0, 7));
  t.is(await ended, status.DEADLINE_EXCEEDED);
  t.is(await closed, constants.NGHTTP2_NO_ERROR);
  t.is(timer.size, 0);
});

test("a body without an end is ended, although its message is there", async (t) => {
  const { request } = await serveEcho(t, 20);
  const { stream, ended } = request("/test.Echo/Once");
  stream.resume();
  stream.write(frame("hello"));
  t.is(await ended, status.DEADLINE_EXCEEDED);
});

test("a body that comes byte by byte is ended", async (t) => {
  const { request } = await serveEcho(t, 20);
  const { stream, ended, closed } = request("/test.Echo/Once");
  stream.resume();
  const bytes = frame("x".repeat(100_000));
  let sent = 0;
  const trickle = setInterval(() => stream.write(bytes.subarray(sent, ++sent)), 1);
  closed.then(() => clearInterval(trickle));
  t.is(await ended, status.DEADLINE_EXCEEDED);
  await closed;
});

test("a request that is there in full is answered", async (t) => {
  const { timer, request } = await serveEcho(t, 60_000);
  const { stream, ended } = request("/test.Echo/Once");
  stream.resume();
  stream.write(frame("hello").subarray(0, 3));
  stream.end(frame("hello").subarray(3));
  t.is(await ended, status.OK);
  t.is(timer.size, 0);
});

test("a stream of requests may rest between messages, not within one", async (t) => {
  const { timer, request } = await serveEcho(t, 20);
  const { stream, ended } = request("/test.Echo/Stream");
  const answered = new Promise((resolve) => stream.once("data", resolve));
  stream.write(frame("hello"));
  await answered;
  t.is(timer.size, 0);
  stream.write(frame("hello").subarray(0, 6));
  t.is(await ended, status.DEADLINE_EXCEEDED);
});

test("a message in pieces is forgotten once it is there", async (t) => {
  const { timer, request } = await serveEcho(t, 60_000);
  const { stream } = request("/test.Echo/Stream");
  const answered = new Promise((resolve) => stream.once("data", resolve));
  stream.write(frame("hello").subarray(0, 6));
  while (timer.size === 0) await systemClock.yieldTurn();
  stream.write(frame("hello").subarray(6));
  await answered;
  t.is(timer.size, 0);
});

test("a message of a stream that comes byte by byte is ended", async (t) => {
  const { request } = await serveEcho(t, 20);
  const { stream, ended, closed } = request("/test.Echo/Stream");
  stream.resume();
  const bytes = frame("x".repeat(100_000));
  let sent = 0;
  const trickle = setInterval(() => stream.write(bytes.subarray(sent, ++sent)), 1);
  closed.then(() => clearInterval(trickle));
  t.is(await ended, status.DEADLINE_EXCEEDED);
  await closed;
});

test("messages are told apart wherever the chunks are cut", (t) => {
  const texts = ["hello", "", "a", "x".repeat(300)];
  const bytes = Buffer.concat(texts.map(frame));
  for (let size = 1; size <= bytes.length; size += 1) {
    const reader = new MessageReader({ maxBytes: 1000, encoding: undefined });
    const taken: string[] = [];
    for (let start = 0; start < bytes.length; start += size) {
      reader.push(bytes.subarray(start, start + size));
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        taken.push(`${next}`);
      }
    }
    t.deepEqual(taken, texts, `${size}`);
    t.true(reader.isEmpty);
    reader.push(frame("hello").subarray(0, 9));
    t.is(reader.next(), undefined);
    t.false(reader.isEmpty);
  }
});
