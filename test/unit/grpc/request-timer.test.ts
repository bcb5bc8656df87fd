// Requests that do not arrive, and the fields of grpc-js that the transport relies on.

import { connect, constants } from "node:http2";
import {
  type ServerDuplexStream,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { FrameTracker, RequestTimer } from "../../../server/grpc/request-timer.js";
import { http2StreamOf, interceptingCallOf, resetCall } from "../../../server/grpc/transport.js";
import { systemClock } from "../../../server/lib/clock.js";
import { serveServices } from "../../support/grpc-service.js";

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
  once: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
    callback(null, call.request),
  stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on("data", (message: Buffer) => call.write(message));
    call.on("end", () => call.end());
  },
};

function frame(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

async function serveEcho(t: ExecutionContext, maxMs: number) {
  const timer = new RequestTimer({ maxMs, answerMaxMs: maxMs, clock: systemClock });
  const service = { definition: ECHO, handlers: HANDLERS };
  const address = await serveServices(t, [service], { interceptors: [timer.interceptor] });
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
  const bytes = Buffer.concat([frame("hello"), frame(""), frame("a"), frame("x".repeat(300))]);
  for (let size = 1; size <= bytes.length; size += 1) {
    const frames = new FrameTracker();
    let ended = 0;
    for (let start = 0; start < bytes.length; start += size) {
      if (frames.take(bytes.subarray(start, start + size))) ended += 1;
    }
    t.true(frames.complete && ended >= 1, `${size}`);
    t.false(frames.take(frame("hello").subarray(0, 9)));
    t.false(frames.complete);
  }
});

test("grpc-js has its HTTP/2 stream, and the call below a handler's, where we look", async (t) => {
  t.plan(4);
  const interceptor: ServerInterceptor = (_method, call) => {
    t.truthy(http2StreamOf(call));
    return call as ReturnType<ServerInterceptor>;
  };
  const handlers = {
    once: HANDLERS.once,
    stream: (call: ServerWritableStream<Buffer, Buffer>) => {
      const inner = interceptingCallOf(call);
      t.truthy(inner && http2StreamOf(inner));
      call.once("cancelled", () => t.pass());
      resetCall(call);
    },
  };
  const service = { definition: ECHO, handlers };
  const address = await serveServices(t, [service], { interceptors: [interceptor] });
  const session = connect(`http://${address}`);
  t.teardown(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/test.Echo/Stream",
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  const code = await new Promise((resolve) => {
    stream.on("close", () => resolve(stream.rstCode));
  });
  t.is(code, constants.NGHTTP2_ENHANCE_YOUR_CALM);
});
