// The first bytes of a connection: HTTP/2 or HTTP/1, however they arrive.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import { Front } from "../../../server/http/front.js";
import { connectRaw } from "../../support/http-peer.js";
import { ManualClock } from "../../support/manual-clock.js";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** A front that tells what each connection spoke, and all that it said until its end. */
async function open(t: ExecutionContext) {
  const clock = new ManualClock();
  const spoken: string[] = [];
  const serve = (protocol: string) => async (socket: Socket) => {
    let text = "";
    for await (const chunk of socket.setEncoding("latin1")) text += chunk;
    spoken.push(`${protocol}: ${text}`);
  };
  const front = new Front({
    toHttp2: serve("HTTP/2"),
    toHttp1: serve("HTTP/1"),
    maxMs: 60_000,
    clock,
  });
  const listener = createServer((socket) => front.accept(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(() => {
    listener.close();
    front.stop();
  });
  const { port } = listener.address() as AddressInfo;
  const peer = () => connectRaw(t, `127.0.0.1:${port}`);
  return { clock, front, peer, spoken };
}

const says = test.macro(async (t, pieces: readonly string[], protocol: string) => {
  const { peer, spoken } = await open(t);
  const { socket, all } = await peer();
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await all;
  t.deepEqual(spoken, [`${protocol}: ${pieces.join("")}`]);
});

test("the preface of HTTP/2 goes to gRPC, whole", says, [PREFACE], "HTTP/2");
test("also with what follows it", says, [`${PREFACE}frames`], "HTTP/2");
test("also byte by byte", says, [...PREFACE], "HTTP/2");
test("a request goes to HTTP/1, whole", says, ["GET / HTTP/1.1\r\n\r\n"], "HTTP/1");
test("a request byte by byte", says, [..."PRI /preface"], "HTTP/1");
test("a method that begins like the preface", says, ["P", "ROPFIND / HTTP/1.1\r\n"], "HTTP/1");
test("bytes that are no HTTP", says, ["\u0016\u0003\u0001"], "HTTP/1");

test("a connection that says nothing is closed in time", async (t) => {
  const { clock, front, peer } = await open(t);
  const { all, socket } = await peer();
  while (front.size === 0) await clock.settle();
  clock.advance(59_999);
  await clock.settle();
  t.false(socket.closed);
  clock.advance(1);
  t.is(await all, "");
  t.is(front.size, 0);
});

test("half a preface is no answer either", async (t) => {
  const { clock, front, peer } = await open(t);
  const { all, socket } = await peer();
  socket.write("PRI * HT");
  while (front.size === 0) await clock.settle();
  clock.advance(60_000);
  t.is(await all, "");
});

test("a connection that is reset before its first byte harms nobody", async (t) => {
  const { clock, front, peer } = await open(t);
  const { socket } = await peer();
  while (front.size === 0) await clock.settle();
  socket.resetAndDestroy();
  while (front.size > 0) await clock.settle();
  t.is(clock.pendingTimers, 1, "the timer that is left finds nothing");
});

test("a stop closes those that have said nothing", async (t) => {
  const { clock, front, peer } = await open(t);
  const { all } = await peer();
  while (front.size === 0) await clock.settle();
  front.stop();
  t.is(await all, "");
  t.is(clock.pendingTimers, 0);
});
