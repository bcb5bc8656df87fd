// Calls of two streams: who ends first, who waits for whom, and the end of the connection.

import { connect, constants } from "node:http2";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import test from "ava";
import type { StreamingCall } from "../../../server/grpc/streaming-call.js";
import { systemClock } from "../../../server/lib/clock.js";
import {
  framed,
  GATHER,
  ONCE,
  post,
  request,
  STREAM,
  same,
  serveEcho,
} from "../../support/echo-service.js";
import { ManualClock } from "../../support/manual-clock.js";

/** Settles when `isSo` is. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await systemClock.yieldTurn();
}

/** A handler that a test gets hold of; it takes no requests until the test resumes its call. */
function held() {
  let resolve: (call: StreamingCall) => void = () => {};
  const call = new Promise<StreamingCall>((given) => {
    resolve = given;
  });
  const stream = (each: StreamingCall) => {
    each.pause();
    resolve(each);
  };
  return { stream, call };
}

test("a status before the peer has ended its requests is seen, and no error", async (t) => {
  const { stream: handler, call } = held();
  const { session } = await serveEcho(t, { handlers: { stream: handler } });
  const { stream, answer } = request(session, STREAM);
  stream.write(framed("a"));
  const served = await call;
  served.write(Buffer.from("bye"));
  served.finish();
  t.like(await answer, { code: status.OK, body: framed("bye"), resetCode: 0 });
  t.true(served.cancelled);
});

test("grpc-js sees the status of a stream that it has not ended", async (t) => {
  const { client } = await serveEcho(t, {
    handlers: {
      stream: (call) => {
        call.on("data", (bytes: Buffer) => {
          call.write(bytes);
          call.fail({ code: status.ABORTED, details: "enough" });
        });
      },
    },
  });
  const call = client.makeBidiStreamRequest(STREAM, same, same);
  const answers: string[] = [];
  call.on("data", (bytes) => answers.push(`${bytes}`));
  const ended = new Promise((resolve) => call.on("error", resolve));
  call.write(Buffer.from("a"));
  t.like(await ended, { code: status.ABORTED, details: "enough" });
  t.deepEqual(answers, ["a"]);
});

test("answers may come after all requests have ended", async (t) => {
  const { stream: handler, call } = held();
  const { session } = await serveEcho(t, { handlers: { stream: handler } });
  const { stream, answer } = request(session, STREAM);
  stream.end(framed("a"));
  const served = await call;
  await new Promise<void>((resolve) => {
    served.on("data", () => {});
    served.on("end", resolve);
    served.resume();
  });
  for (const text of ["x", "y"]) {
    await new Promise<void>((resolve) => served.write(Buffer.from(text), resolve));
  }
  served.finish();
  const body = Buffer.concat([framed("x"), framed("y")]);
  t.like(await answer, { code: status.OK, body, resetCode: 0 });
});

test("the end of the requests is told once", async (t) => {
  let ends = 0;
  const { session } = await serveEcho(t, {
    handlers: {
      stream: (call) => {
        call.on("data", () => {
          call.pause();
          setImmediate(() => call.resume());
        });
        call.on("end", () => {
          ends += 1;
          call.pause();
          call.resume();
          call.finish();
        });
      },
    },
  });
  const body = Buffer.concat([framed("a"), framed("b"), framed("c")]);
  t.is((await post(session, STREAM, body)).code, status.OK);
  t.is(ends, 1);
});

test("a call that its peer cancels is told so once, and gets nothing more", async (t) => {
  const { stream: handler, call } = held();
  const { session, client, calls } = await serveEcho(t, { handlers: { stream: handler } });
  const begun = client.makeBidiStreamRequest(STREAM, same, same);
  const ended = new Promise<ServiceError>((resolve) => {
    begun.on("error", (error: ServiceError) => resolve(error));
  });
  begun.write(Buffer.from("a"));
  const served = await call;
  const events: string[] = [];
  served.on("data", (bytes: Buffer) => {
    events.push(`${bytes}`);
    served.pause();
  });
  served.on("end", () => events.push("end"));
  served.on("cancelled", () => events.push("cancelled"));
  served.resume();
  begun.write(Buffer.from("b"));
  await until(() => events.length > 0);
  begun.cancel();
  t.is((await ended).code, status.CANCELLED);
  await until(() => served.cancelled);
  served.resume();
  let taken = 0;
  served.write(Buffer.from("late"), () => {
    taken += 1;
  });
  served.finish();
  t.deepEqual(events, ["a", "cancelled"]);
  t.is(taken, 1);
  t.is(calls.timer.size, 0);
  t.like(await post(session, ONCE, framed("a")), { code: status.OK });
});

test("requests come in order to a handler that pauses, and are bounded meanwhile", async (t) => {
  const { stream: handler, call } = held();
  const { session } = await serveEcho(t, { handlers: { stream: handler } });
  const { stream, answer } = request(session, STREAM);
  const count = 400_000;
  const frames: Buffer[] = [];
  for (let number = 0; number < count; number += 1) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    frames.push(framed(bytes));
  }
  const body = Buffer.concat(frames);
  stream.end(body);
  const served = await call;
  let next = 0;
  let isInOrder = true;
  served.on("data", (bytes: Buffer) => {
    isInOrder &&= bytes.readUInt32BE() === next;
    next += 1;
    // At first one for each resume(): a window for each would add up.
    if (next < 2_000) served.pause();
  });
  const ended = new Promise<void>((resolve) => served.on("end", resolve));
  const { socket } = served.stream.connection;
  await until(() => socket.bytesRead > 200 * 1024);
  for (let turn = 0; turn < 1_500; turn += 1) {
    served.resume();
    if (turn % 10 === 0) await systemClock.yieldTurn();
  }
  t.is(next, 1_500);
  t.true(socket.bytesRead < 600 * 1024, `${socket.bytesRead} of ${body.length} bytes are here`);
  while (next < 2_000) served.resume();
  await ended;
  t.is(next, count);
  t.true(isInOrder);
  served.finish();
  t.is((await answer).code, status.OK);
});

test("a peer that goes away in the middle of its requests ends its call", async (t) => {
  const { stream: handler, call } = held();
  const { session, calls } = await serveEcho(t, { handlers: { stream: handler } });
  const { stream } = request(session, STREAM);
  stream.write(framed("abc").subarray(0, 6));
  const served = await call;
  served.resume();
  await until(() => calls.timer.size > 0);
  const cancelled = new Promise<void>((resolve) => served.once("cancelled", resolve));
  session.destroy();
  await cancelled;
  t.is(calls.timer.size, 0);
});

test("a call that is refused in the middle of a message is timed no more", async (t) => {
  const server = { messageMaxBytes: 100 };
  const { session, calls } = await serveEcho(t, { server });
  const { stream, answer } = request(session, GATHER);
  const bytes = framed(Buffer.alloc(101));
  stream.write(bytes.subarray(0, 2));
  await until(() => calls.timer.size > 0);
  stream.write(bytes.subarray(2));
  t.is((await answer).code, status.RESOURCE_EXHAUSTED);
  t.is(calls.timer.size, 0);
});

test("a reset tells the peer that it took too little", async (t) => {
  const { stream: handler, call } = held();
  const { session } = await serveEcho(t, { handlers: { stream: handler } });
  const { stream, answer } = request(session, STREAM);
  stream.write(framed("a"));
  const served = await call;
  served.reset();
  t.is((await answer).resetCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  t.true(served.cancelled);
});

test("a call that is refused, and whose peer takes nothing, is reset in the end", async (t) => {
  const { stream: handler, call } = held();
  const clock = new ManualClock();
  const { address } = await serveEcho(t, { handlers: { stream: handler }, server: { clock } });
  const session = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
  t.teardown(() => session.destroy());
  const { stream, answer } = request(session, STREAM);
  stream.write(framed("a", 7));
  const served = await call;
  await new Promise<void>((resolve) => session.ping(() => resolve()));
  served.write(Buffer.from("b"));
  served.resume();
  t.false(served.cancelled);
  clock.advance(10_000);
  t.true(served.cancelled);
  t.is((await answer).resetCode, constants.NGHTTP2_CANCEL);
});

test("a drain lets calls finish, takes no others, and ends the connection", async (t) => {
  const { stream: handler, call } = held();
  const { address, calls, session } = await serveEcho(t, { handlers: { stream: handler } });
  const client = new Client(address, credentials.createInsecure());
  t.teardown(() => client.close());
  const begun = client.makeBidiStreamRequest(STREAM, same, same);
  const answers: string[] = [];
  begun.on("data", (bytes) => answers.push(`${bytes}`));
  const ended = new Promise<{ readonly code: number }>((resolve) => begun.on("status", resolve));
  begun.write(Buffer.from("a"));
  const served = await call;
  served.on("data", (bytes: Buffer) => served.write(bytes));
  served.on("end", () => served.finish());
  served.resume();
  const isIdleClosed = new Promise<void>((resolve) => session.once("close", resolve));
  let isDrained = false;
  const drained = calls.drain().then(() => {
    isDrained = true;
  });
  await isIdleClosed;
  begun.write(Buffer.from("b"));
  await until(() => answers.length === 2);
  t.false(isDrained);
  begun.end();
  t.is((await ended).code, status.OK);
  await drained;
  t.deepEqual(answers, ["a", "b"]);
});
