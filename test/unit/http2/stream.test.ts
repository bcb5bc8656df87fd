// What a stream promises to whoever takes its request and writes its answer, when ends of either
// side meet: nothing after "closed", and a call back for each write.

import test, { type ExecutionContext } from "ava";
import {
  CODE,
  data,
  END_STREAM,
  headers,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/http2/frames.js";
import { ECHO, END, HEAD, Http2Server, type Request } from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock, TRAILERS } from "../../support/http2/raw-peer.js";

const NO_WINDOW = settings([4, 0]);

function answer(request: Request): void {
  request.stream.head(HEAD);
  request.write(Buffer.from("answer"));
  request.stream.end(END);
}

test("a sink that resets its stream at the last data hears of no end", async (t) => {
  const server = await Http2Server.open(t, { onData: ({ stream }) => stream.reset(CODE.cancel) });
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/")), data(1, "x", END_STREAM));
  t.is(await peer.reset(1), CODE.cancel);
  await peer.settle();
  t.false(server.requests[0]?.hasEnded);
});

test("a sink that answers at the last data hears of no end", async (t) => {
  const server = await Http2Server.open(t, { onData: answer });
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/")), data(1, "x", END_STREAM));
  await peer.ended(1);
  await peer.settle();
  t.is(peer.body(1).toString(), "answer");
  t.is(peer.of(TYPE.rstStream, 1).length, 0, "both sides have ended");
  t.false(server.requests[0]?.hasEnded);
});

const asItBegins = test.macro(async (t: ExecutionContext, early: { readonly isEarly?: true }) => {
  const server = await Http2Server.open(t, {
    ...early,
    onRequest: (request) => {
      if (request.path === "/no") request.stream.reset(CODE.refused);
      else answer(request);
    },
  });
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/no"), END_STREAM), headers(3, requestBlock("/no")));
  peer.send(headers(5, requestBlock("/yes"), END_STREAM), headers(7, requestBlock("/yes")));
  t.is(await peer.reset(1), CODE.refused);
  t.is(await peer.reset(3), CODE.refused);
  await peer.ended(5);
  t.is(await peer.reset(7), CODE.noError, "the rest of the request is of no use");
  t.is(peer.of(TYPE.rstStream, 5).length, 0);
  t.is(server.connections[0]?.size, 0);
});

test("a request may be reset, or answered, as it begins", asItBegins, {});
test("so it may when its sink was the stream's already", asItBegins, { isEarly: true });

test("an end waits for the data before it", async (t) => {
  const server = await Http2Server.open(t, { onEnd: answer });
  const peer = await RawPeer.open(t, server.port, NO_WINDOW);
  peer.send(headers(1, requestBlock("/"), END_STREAM));
  await peer.settle();
  t.is(peer.of(TYPE.headers, 1).length, 1, "the head");
  t.is(server.requests[0]?.stream.unsentBytes, 6);
  t.true(server.requests[0]?.stream.isEnding);
  peer.send(settings([4, 100]));
  await peer.ended(1);
  t.is(peer.body(1).toString(), "answer");
  t.deepEqual(peer.frames.at(-1)?.type, TYPE.headers);
});

test("writes of nothing need no window", async (t) => {
  const server = await Http2Server.open(t, {
    onEnd: (request) => {
      request.stream.head(HEAD);
      request.write(Buffer.from("12345678"));
      request.write(Buffer.alloc(0));
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, settings([4, 4]));
  peer.send(headers(1, requestBlock("/"), END_STREAM), settings([4, 8]));
  await peer.ended(1);
  t.is(peer.body(1).toString(), "12345678");
});

test("a reset calls back for what waits, and nothing of it leaves any more", async (t) => {
  for (const who of ["peer", "server"] as const) {
    const server = await Http2Server.open(t, {
      onEnd: (request) => {
        request.stream.head(HEAD);
        for (let count = 0; count < 5; count += 1) request.write(Buffer.alloc(10));
      },
    });
    const peer = await RawPeer.open(t, server.port, NO_WINDOW);
    peer.send(headers(1, requestBlock("/"), END_STREAM));
    const request = await server.request("/");
    await peer.settle();
    t.is(request.writesOwed, 5);
    if (who === "peer") peer.send(rstStream(1));
    else request.stream.reset(CODE.cancel);
    await server.until(() => request.isClosed && request.writesOwed === 0);
    t.is(request.stream.unsentBytes, 0);
    peer.send(settings([4, 100]));
    await peer.settle();
    t.is(peer.body(1).length, 0);
  }
});

test("any number of small writes that wait leave in their order", async (t) => {
  const writes = 200_000;
  const body = Buffer.alloc(writes * 4);
  for (let at = 0; at < body.length; at += 4) body.writeUInt32BE(at, at);
  const server = await Http2Server.open(t, {
    onEnd: ({ stream }) => {
      stream.head(HEAD);
      for (let at = 0; at < body.length; at += 4) stream.data(body.subarray(at, at + 4));
      stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, NO_WINDOW);
  peer.send(headers(1, requestBlock("/"), END_STREAM));
  const { stream } = await server.request("/");
  await peer.settle();
  t.is(stream.unsentBytes, body.length);
  peer.send(windowUpdate(0, body.length), windowUpdate(1, body.length));
  await peer.ended(1);
  t.true(peer.body(1).equals(body));
});

test("what is said to a stream that is over does nothing, and calls back at once", async (t) => {
  const server = await Http2Server.open(t, {});
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/")), rstStream(1));
  const request = await server.request("/");
  await server.until(() => request.isClosed);
  const { stream } = request;
  stream.head(HEAD);
  request.write(Buffer.from("x"));
  t.is(request.writesOwed, 0);
  stream.end(END);
  stream.reset(CODE.cancel);
  stream.pause();
  stream.resume();
  let isTold = false;
  stream.whenClosed(() => {
    isTold = true;
  });
  t.true(isTold);
  await peer.settle();
  t.is(peer.frames.filter(({ streamId }) => streamId === 1).length, 0);
});

test("an answer has one end", async (t) => {
  const server = await Http2Server.open(t, {
    onEnd: (request) => {
      request.stream.head(HEAD);
      request.write(Buffer.from("x"));
      request.stream.end(END);
      request.write(Buffer.from("late"));
      request.stream.head(HEAD);
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, NO_WINDOW);
  peer.send(headers(1, requestBlock("/"), END_STREAM));
  await peer.settle();
  peer.send(settings([4, 100]));
  await peer.ended(1);
  await peer.settle();
  t.is(peer.body(1).toString(), "x");
  t.is(peer.of(TYPE.headers, 1).length, 2);
});

test("those who wait for a stream's end are told once, also when its socket goes", async (t) => {
  const told: string[] = [];
  const server = await Http2Server.open(t, {
    onRequest: ({ stream, path }) => {
      stream.whenClosed(() => told.push(`${path} first`));
      stream.whenClosed(() => told.push(`${path} second`));
    },
  });
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/1")), headers(3, requestBlock("/3")), rstStream(1));
  await server.until(() => server.requests[0]?.isClosed === true);
  t.deepEqual(told, ["/1 first", "/1 second"]);
  peer.socket.destroy();
  await server.until(() => server.requests[1]?.isClosed === true);
  t.deepEqual(told.slice(2), ["/3 first", "/3 second"]);
});

test("a sink that throws costs its connection, is told of, and no other notices", async (t) => {
  const thrower = (where: string) => (request: Request) => {
    if (request.path === where) throw new Error(where);
  };
  const server = await Http2Server.open(t, {
    hasBugs: true,
    onRequest: thrower("/request"),
    onData: (request, bytes) => {
      thrower("/data")(request);
      ECHO.onData?.(request, bytes);
    },
    onEnd: (request) => {
      thrower("/end")(request);
      ECHO.onEnd?.(request);
    },
    onClosed: thrower("/closed"),
  });
  const good = await RawPeer.open(t, server.port);
  for (const where of ["/request", "/data", "/end"]) {
    const peer = await RawPeer.open(t, server.port);
    peer.send(headers(1, requestBlock(where)), data(1, "x"), headers(1, TRAILERS, END_STREAM));
    t.is(await peer.goaway(), CODE.internal, where);
  }
  t.deepEqual(server.bugs.map(String), ["Error: /request", "Error: /data", "Error: /end"]);
  good.send(headers(1, requestBlock("/")), data(1, "hello", END_STREAM));
  await good.ended(1);
  t.is(good.body(1).toString(), "hello");
});
