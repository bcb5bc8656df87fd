// Connections over HTTP/1: their bounds in time and number, and their end.

import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import { HttpServer } from "../../../server/http/http-server.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { silentLogger } from "../../../server/lib/logger.js";
import { connectRaw } from "../../support/http-peer.js";
import { ManualClock } from "../../support/manual-clock.js";

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

/** Requests wait until the test answers them. */
async function open(t: ExecutionContext, { graceMs = 10_000, onSocket = (_: Socket) => {} } = {}) {
  const clock = new ManualClock();
  const begun: Exchange[] = [];
  const http = new HttpServer({
    serve: async (request, response) => {
      begun.push({ request, response });
    },
    limits: defaultLimits(),
    clock,
    logger: silentLogger,
  });
  const listener = createServer((socket) => {
    onSocket(socket);
    http.accept(socket);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(async () => {
    listener.close();
    await http.stop({ graceMs: 0 });
  });
  const { port } = listener.address() as AddressInfo;
  const peer = await connectRaw(t, `127.0.0.1:${port}`);
  const requests = async (count: number) => {
    while (begun.length < count) await clock.settle();
    return begun;
  };
  while (http.size === 0) await clock.settle();
  return { ...peer, clock, http, begun, requests, stop: () => http.stop({ graceMs }) };
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

test("requests of one connection run one at a time, in order", async (t) => {
  const { socket, requests, until, clock } = await open(t);
  socket.write(get("/1") + get("/2"));
  const [first] = await requests(1);
  await clock.settle();
  const begun = await requests(1);
  t.is(begun.length, 1);
  first?.response.end("first");
  const [, second] = await requests(2);
  t.is(second?.request.url, "/2");
  second?.response.end("second");
  t.regex(await until(/second/), /first.*second/s);
});

test("a connection with too many requests that wait is cut", async (t) => {
  const { socket, all, begun } = await open(t);
  socket.write(get("/").repeat(102));
  await all;
  t.is(begun.length, 1);
});

test("a connection whose next request waits for too long is cut", async (t) => {
  const { socket, requests, all, clock } = await open(t);
  socket.write(get("/1") + get("/2") + get("/3"));
  (await requests(1))[0]?.response.end("first");
  const [, second] = await requests(2);
  clock.advance(59_999);
  await clock.settle();
  t.false(second?.response.destroyed);
  clock.advance(1);
  t.regex(await all, /first$/);
});

test("the time to wait begins anew with each answer", async (t) => {
  const { socket, requests, until, clock } = await open(t);
  socket.write(get("/1") + get("/2") + get("/3"));
  for (let count = 1; count <= 3; count += 1) {
    const exchange = (await requests(count)).at(-1);
    clock.advance(59_999);
    exchange?.response.end(`answer ${count}`);
  }
  t.regex(await until(/answer 3/), /answer 1.*answer 2/s);
});

test("a connection is asked whether its peer is still there", async (t) => {
  const asked: unknown[] = [];
  await open(t, {
    onSocket: (socket) => {
      socket.setKeepAlive = (...how) => {
        asked.push(how);
        return socket;
      };
    },
  });
  t.deepEqual(asked[0], [true, 60_000]);
});

test("a connection that sends no request is closed in time", async (t) => {
  const { socket, all, clock } = await open(t);
  socket.write("GET / HTTP/1.1\r\nX-Slow: ");
  await clock.settle();
  clock.advance(60_000);
  t.is(await all, "");
});

test("the time of a connection begins anew with each answer", async (t) => {
  const { socket, requests, all, until, clock } = await open(t);
  socket.write(get("/1"));
  const [first] = await requests(1);
  clock.advance(600_000);
  first?.response.end("first");
  await until(/first/);
  await clock.settle();
  clock.advance(59_999);
  socket.write(get("/2"));
  (await requests(2))[1]?.response.end("second");
  await until(/second/);
  await clock.settle();
  clock.advance(60_000);
  t.regex(await all, /second$/);
});

test("an answer that is not taken ends in time", async (t) => {
  const { socket, requests, clock, http } = await open(t);
  socket.pause();
  socket.write(get("/"));
  (await requests(1))[0]?.response.end(Buffer.alloc(32 * 1024 * 1024));
  await clock.settle();
  clock.advance(299_999);
  await clock.settle();
  t.is(http.size, 1);
  clock.advance(1);
  while (http.size > 0) await clock.settle();
});

test("headers that are too long are refused", async (t) => {
  const { socket, all } = await open(t);
  socket.write(`GET / HTTP/1.1\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
  t.regex(await all, /^HTTP\/1\.1 431 /);
});

test("what is no HTTP is told what this port speaks", async (t) => {
  const { socket, all } = await open(t);
  socket.write("\u0016\u0003\u0001\u0002\u0000");
  t.regex(await all, /^HTTP\/1\.1 400 .*gRPC \(HTTP\/2, without TLS\)/s);
});

test("what is no HTTP ends a connection whose request runs, without a word", async (t) => {
  const { socket, requests, all } = await open(t);
  socket.write(get("/"));
  const [exchange] = await requests(1);
  const gone = exchange && once(exchange.response, "close");
  socket.write("\u0016\u0003\u0001\u0002\u0000\r\n\r\n");
  t.is(await all, "");
  await gone;
});

test("a stop closes connections at rest, and lets what runs finish", async (t) => {
  const resting = await open(t);
  await resting.stop();
  t.is(await resting.all, "");
  const running = await open(t);
  running.socket.write(get("/"));
  const [exchange] = await running.requests(1);
  const stopped = running.stop();
  exchange?.response.end("done");
  await stopped;
  t.regex(await running.all, /done$/);
  t.is(running.clock.pendingTimers, 0);
});

test("a stop cuts what still runs after the grace", async (t) => {
  const { socket, requests, all, stop, clock } = await open(t, { graceMs: 5000 });
  socket.write(get("/"));
  await requests(1);
  const stopped = stop();
  clock.advance(5000);
  await stopped;
  t.is(await all, "");
});
