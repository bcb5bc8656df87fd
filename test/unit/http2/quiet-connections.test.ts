// Connections that are quiet, in the time of the test: whose answer is late is not gone, and who is
// let go is asked nothing more.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import test, { type ExecutionContext } from "ava";
import { Connection } from "../../../server/http2/connection.js";
import { Keeper } from "../../../server/http2/keeper.js";
import type { StreamSink } from "../../../server/http2/stream.js";
import { systemClock } from "../../../server/lib/clock.js";
import { connectRaw } from "../../support/http-peer.js";
import { ManualClock } from "../../support/manual-clock.js";

const QUIET_MS = 1_000;
const ANSWER_MS = 300;
const IDLE_MS = 5_000;

/** Preface and SETTINGS. */
const GREETING = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0";
const PING = "\0\0\u0008\u0006\0\0\0\0\0";
const WORD = `${PING}12345678`;
const ANSWER = `\0\0\u0008\u0006\u0001\0\0\0\0${"\0".repeat(8)}`;

const SILENT: StreamSink = { data: () => {}, end: () => {}, closed: () => {} };

/** Accepts connections, whose requests nobody answers. */
async function keep(t: ExecutionContext) {
  const clock = new ManualClock();
  const options = { quietMs: QUIET_MS, answerMs: ANSWER_MS, idleMs: IDLE_MS, clock };
  const keeper = new Keeper(options);
  t.teardown(() => keeper.close());
  const connections: Connection[] = [];
  const listener = createServer({ noDelay: true }, (socket) => {
    const connection = new Connection(socket, {
      streamsMax: 10,
      usualFields: [],
      onRequest: () => SILENT,
      onBug: (error) => t.fail(`${error}`),
      monotonicMs: () => clock.monotonicMs(),
    });
    connections.push(connection);
    keeper.add(connection);
  }).listen(0, "127.0.0.1");
  t.teardown(() => listener.close());
  await once(listener, "listening");
  const address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return { clock, connections, address };
}

/** A peer that says what it is told to, and has been heard with its greeting. */
async function rawPeer(t: ExecutionContext) {
  const kept = await keep(t);
  const peer = await connectRaw(t, kept.address);
  const isHeard = async (bytes: string) => {
    const before = kept.connections[0]?.socket.bytesRead ?? 0;
    peer.socket.write(bytes, "latin1");
    while (kept.connections[0]?.socket.bytesRead !== before + bytes.length) {
      await systemClock.yieldTurn();
    }
  };
  await isHeard(GREETING);
  const [connection] = kept.connections;
  if (connection === undefined) throw new Error("nothing was accepted");
  // What has come until now is not the silence that is timed.
  kept.clock.advance(QUIET_MS);
  return { ...kept, ...peer, isHeard, connection };
}

test("one whose answer is late stays as long as it sends other things", async (t) => {
  const { clock, connection, isHeard } = await rawPeer(t);
  clock.advance(QUIET_MS);
  t.is(connection.pings, 1);
  await isHeard(WORD);
  clock.advance(ANSWER_MS);
  t.false(connection.socket.destroyed);
  clock.advance(QUIET_MS);
  t.is(connection.pings, 2);
  clock.advance(ANSWER_MS);
  t.true(connection.socket.destroyed);
});

test("a connection without calls is closed after a while, with a GOAWAY", async (t) => {
  const { clock, connection, isHeard, all } = await rawPeer(t);
  let asked = 0;
  for (let spent = QUIET_MS; spent < IDLE_MS - QUIET_MS; spent += QUIET_MS) {
    clock.advance(QUIET_MS);
    asked += 1;
    t.is(connection.pings, asked);
    await isHeard(ANSWER);
  }
  t.false(connection.socket.writableEnded);
  clock.advance(QUIET_MS);
  t.true(connection.socket.writableEnded);
  t.is(connection.pings, asked, "who is let go is asked nothing");
  const goaway = "\0\0\u0008\u0007\0\0\0\0\0";
  t.true((await all).endsWith(`${goaway}${"\0".repeat(8)}`));
});
