// The end of a connection that a server wants: what is open ends well, nothing new begins, and the
// peer gets all of it.

import { once } from "node:events";
import test from "ava";
import {
  CODE,
  data,
  END_STREAM,
  headers,
  ping,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/http2/frames.js";
import { ECHO, END, HEAD, Http2Server } from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock } from "../../support/http2/raw-peer.js";

const WIDE = [settings([SETTING.initialWindowSize, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30)];

test("a connection without streams ends at once, and says so", async (t) => {
  const server = await Http2Server.open(t);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/"), END_STREAM));
  await peer.ended(1);
  const [connection] = server.connections;
  connection?.drain();
  connection?.drain();
  t.is(await peer.goaway(), CODE.noError);
  const goaways = peer.of(TYPE.goaway, 0);
  t.deepEqual(
    goaways.map(({ payload }) => payload.readUInt32BE(0)),
    [1],
  );
});

test("streams that are open end well, new ones are refused, and then the socket closes", async (t) => {
  const server = await Http2Server.open(t);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/1")), headers(3, requestBlock("/3")), data(1, "a"));
  await peer.settle();
  server.connections[0]?.drain();
  await peer.first(({ type }) => type === TYPE.goaway);
  peer.send(headers(5, requestBlock("/5"), END_STREAM), data(1, "b", END_STREAM));
  t.is(await peer.reset(5), CODE.refused);
  await peer.ended(1);
  t.is(peer.body(1).toString(), "ab");
  t.false(peer.isClosed);
  peer.send(data(3, "c", END_STREAM));
  await peer.ended(3);
  await peer.closed;
  t.is(peer.body(3).toString(), "c");
  t.is(server.requests.length, 2);
});

test("a stream that is reset is the last one, too", async (t) => {
  const server = await Http2Server.open(t);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/1")));
  await peer.settle();
  server.connections[0]?.drain();
  server.requests[0]?.stream.reset(CODE.cancel);
  t.is(await peer.goaway(), CODE.noError);
});

test("nothing is written to a connection that has ended", async (t) => {
  const server = await Http2Server.open(t, {
    onData: (request) => {
      if (request.path !== "/last") return;
      request.stream.head(HEAD);
      request.write(Buffer.alloc(1000));
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, Buffer.concat(WIDE));
  peer.send(headers(1, requestBlock("/1")), headers(3, requestBlock("/3")));
  peer.send(headers(5, requestBlock("/last")));
  const frame = Buffer.alloc(16_384);
  const frames = (id: number, length: number) => Array.from({ length }, () => data(id, frame));
  peer.send(...frames(1, 15), ...frames(3, 16));
  await peer.settle();
  const [connection] = server.connections;
  const errors: unknown[] = [];
  connection?.socket.on("error", (error) => errors.push(error));
  for (const { stream } of server.requests.slice(0, 2)) stream.reset(CODE.cancel);
  connection?.drain();
  // With this the answer ends, and the connection; half of its window would be due as well.
  peer.send(data(5, frame));
  await peer.ended(5);
  connection?.ping(() => {});
  await peer.closed;
  t.is(peer.body(5).length, 1000);
  t.deepEqual(errors, []);
});

test("a slow peer gets the last answer whole, although it says something meanwhile", async (t) => {
  const body = Buffer.alloc(400 * 1024, "abcdefg");
  const server = await Http2Server.open(t, {
    onEnd: (request) => {
      request.stream.head(HEAD);
      request.write(body.subarray(0, 200 * 1024));
      request.write(body.subarray(200 * 1024));
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, Buffer.concat(WIDE));
  await peer.settle();
  peer.socket.pause();
  peer.send(headers(1, requestBlock("/1"), END_STREAM));
  const request = await server.request("/1");
  const { socket } = request.stream.connection;
  const isWritten = once(socket, "finish");
  request.stream.connection.drain();
  await isWritten;
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  // A socket that is closed already answers this by a reset, and what the peer has not read is
  // lost.
  await new Promise((resolve) => peer.socket.write(ping("12345678"), resolve));
  peer.socket.resume();
  await peer.closed;
  t.true(peer.body(1).equals(body));
  t.is(peer.of(TYPE.headers, 1).length, 2);
  t.is(request.writesOwed, 0);
});

test("a peer that vanishes while it is waited for leaves nothing behind", async (t) => {
  const server = await Http2Server.open(t, ECHO);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/1")));
  await peer.settle();
  server.connections[0]?.drain();
  peer.socket.destroy();
  await server.until(() => server.requests[0]?.isClosed === true);
  t.is(server.connections[0]?.size, 0);
});

test("a fault after the end was announced does not announce a later one", async (t) => {
  const server = await Http2Server.open(t);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/1")));
  await peer.settle();
  server.connections[0]?.drain();
  peer.send(headers(3, requestBlock("/3")), ping("too short"));
  await peer.closed;
  const last = peer.of(TYPE.goaway, 0).map(({ payload }) => payload.readUInt32BE(0));
  t.deepEqual(last, [1, 1]);
});
