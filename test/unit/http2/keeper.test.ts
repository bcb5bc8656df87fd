// Connections that are quiet: those whose peer has vanished go, those that nobody uses end, and no
// other does.

import test, { type ExecutionContext } from "ava";
import { Keeper } from "../../../server/http2/keeper.js";
import {
  ACK,
  CODE,
  END_STREAM,
  headers,
  ping,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/http2/frames.js";
import { END, Http2Server } from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock } from "../../support/http2/raw-peer.js";
import { ManualClock } from "../../support/manual-clock.js";

const QUIET_MS = 1000;
const ANSWER_MS = 100;
const IDLE_MS = 5000;

async function kept(t: ExecutionContext, opening = settings()) {
  const server = await Http2Server.open(t);
  const clock = new ManualClock();
  const keeper = new Keeper({ quietMs: QUIET_MS, answerMs: ANSWER_MS, idleMs: IDLE_MS, clock });
  t.teardown(() => keeper.close());
  const peer = await RawPeer.open(t, server.port, opening);
  const [connection] = server.connections;
  if (connection === undefined) throw new Error("no connection");
  keeper.add(connection);
  await peer.settle();
  const pings = () => peer.of(TYPE.ping, 0).filter(({ flags }) => flags === 0).length;
  /** A quiet time after something came, which is news. */
  const busyTime = async () => {
    await peer.settle();
    clock.advance(QUIET_MS);
  };
  /** A quiet time, and the answer to the ping that follows. */
  const quietTime = async () => {
    const before = pings();
    const { bytesRead } = connection.socket;
    clock.advance(QUIET_MS);
    await peer.until(() => pings() > before);
    peer.send(ping(Buffer.alloc(8), ACK));
    while (!connection.socket.destroyed && connection.socket.bytesRead === bytesRead) {
      await clock.settle();
    }
  };
  await busyTime();
  return { server, clock, keeper, peer, connection, quietTime, busyTime, pings };
}

const WIDE = Buffer.concat([
  settings([SETTING.initialWindowSize, 2 ** 31 - 1]),
  windowUpdate(0, 2 ** 30),
]);

/** A peer that does not read what it is sent, as much as it takes for some of it to wait here. */
async function full(t: ExecutionContext) {
  const all = await kept(t, WIDE);
  const { server, clock, peer, connection } = all;
  const { socket } = connection;
  peer.send(headers(1, requestBlock("/1")));
  const request = await server.request("/1");
  await all.busyTime();
  peer.socket.pause();
  let bytes = 0;
  const fill = async () => {
    while (socket.writableLength === 0) {
      request.write(Buffer.alloc(16_384));
      bytes += 16_384;
      await clock.settle();
    }
    return bytes;
  };
  return { ...all, request, fill, takenBytes: () => socket.bytesWritten - socket.writableLength };
}

test("a peer that answers pings stays, and one that speaks is not asked", async (t) => {
  const { peer, connection, quietTime, busyTime, pings } = await kept(t);
  peer.send(headers(1, requestBlock("/1")));
  await busyTime();
  await busyTime();
  await peer.settle();
  t.is(pings(), 0);
  await busyTime();
  for (let round = 0; round < 10; round += 1) await quietTime();
  t.is(pings(), 10);
  t.false(connection.socket.destroyed);
});

test("a peer that does not answer a ping in time is gone", async (t) => {
  const { clock, peer, connection } = await kept(t);
  clock.advance(QUIET_MS);
  await peer.first(({ type, flags }) => type === TYPE.ping && flags === 0);
  clock.advance(ANSWER_MS - 1);
  t.false(connection.socket.destroyed);
  clock.advance(1);
  t.true(connection.socket.destroyed);
  await peer.closed;
});

test("a connection without streams ends after its time, and one with a stream does not", async (t) => {
  const { peer, quietTime, busyTime } = await kept(t);
  peer.send(headers(1, requestBlock("/1")));
  await busyTime();
  for (let round = 0; round < 12; round += 1) await quietTime();
  peer.send(rstStream(1));
  await busyTime();
  // It was in use when it was looked at before that, and has been idle since.
  for (let idleMs = 2 * QUIET_MS; idleMs < IDLE_MS; idleMs += QUIET_MS) await quietTime();
  t.is(peer.of(TYPE.goaway, 0).length, 0);
  await t.throwsAsync(quietTime());
  t.is(await peer.goaway(), CODE.noError);
});

test("requests that are over at once keep a connection, too", async (t) => {
  const { peer, quietTime, busyTime } = await kept(t);
  for (let round = 0; round < 12; round += 1) {
    const id = round * 2 + 1;
    peer.send(headers(id, requestBlock("/"), END_STREAM));
    await peer.ended(id);
    await busyTime();
    await quietTime();
  }
  t.is(peer.of(TYPE.goaway, 0).length, 0);
});

test("a peer that does not close what has ended is closed, whatever it says", async (t) => {
  const { clock, peer, connection } = await kept(t);
  peer.socket.allowHalfOpen = true;
  connection.drain();
  await peer.first(({ type }) => type === TYPE.goaway);
  for (let round = 0; round < 3 && !connection.socket.destroyed; round += 1) {
    const { bytesRead } = connection.socket;
    peer.send(ping("12345678"));
    while (!connection.socket.destroyed && connection.socket.bytesRead === bytesRead) {
      await clock.settle();
    }
    clock.advance(QUIET_MS);
  }
  t.true(connection.socket.destroyed);
});

test("a peer that is slow to take its last answer gets all of it", async (t) => {
  const { clock, peer, connection, request, fill } = await full(t);
  const bytes = await fill();
  request.stream.end(END);
  connection.drain();
  t.true(connection.isClosed);
  clock.advance(QUIET_MS);
  t.false(connection.socket.destroyed);
  peer.socket.resume();
  await peer.ended(1);
  t.is(peer.body(1).length, bytes);
  await peer.closed;
});

test("so it does when it was asked for a word before that", async (t) => {
  const { clock, peer, connection, request, fill, pings } = await full(t);
  const bytes = await fill();
  clock.advance(QUIET_MS);
  t.is(connection.pings, 1);
  request.stream.end(END);
  connection.drain();
  clock.advance(ANSWER_MS);
  t.false(connection.socket.destroyed);
  peer.socket.resume();
  await peer.ended(1);
  t.is(peer.body(1).length, bytes);
  t.is(pings(), 1);
  await peer.closed;
});

test("a peer that takes what waits for it is there, though it says nothing", async (t) => {
  const { clock, peer, connection, fill, takenBytes } = await full(t);
  await fill();
  clock.advance(QUIET_MS);
  t.is(connection.pings, 1);
  const before = takenBytes();
  peer.socket.resume();
  while (takenBytes() === before) await clock.settle();
  peer.socket.pause();
  await fill();
  clock.advance(ANSWER_MS);
  t.false(connection.socket.destroyed);
  clock.advance(QUIET_MS);
  t.is(connection.pings, 2);
  clock.advance(ANSWER_MS);
  t.true(connection.socket.destroyed, "it has taken nothing since");
});

test("a connection that is closed is forgotten, and so are all when the keeper closes", async (t) => {
  const { clock, keeper, peer, connection } = await kept(t);
  peer.socket.destroy();
  while (!connection.socket.closed) await clock.settle();
  await clock.settle();
  keeper.close();
  t.is(clock.pendingTimers, 0);
});
