// Streams send in turn: one with much to send does not keep another from its answer, however little
// the peer lets us send at a time.

import test, { type ExecutionContext } from "ava";
import {
  END_STREAM,
  headers,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/http2/frames.js";
import { END, HEAD, Http2Server } from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock } from "../../support/http2/raw-peer.js";

const WIDE_STREAMS = settings([SETTING.initialWindowSize, 2 ** 31 - 1]);
const LARGE = 8 * 1024 * 1024;

async function serve(t: ExecutionContext) {
  const server = await Http2Server.open(t, {
    onEnd: (request) => {
      request.stream.head(HEAD);
      request.write(Buffer.alloc(Number(request.path.split("/")[1])));
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, WIDE_STREAMS);
  const ask = (id: number, bytes: number) => {
    peer.send(headers(id, requestBlock(`/${bytes}`), END_STREAM));
  };
  return { server, peer, ask };
}

test("a small answer passes a large one that is under way", async (t) => {
  const { peer, ask } = await serve(t);
  peer.send(windowUpdate(0, 2 ** 30));
  ask(1, LARGE);
  await peer.first(({ type }) => type === TYPE.data);
  ask(3, 1000);
  await peer.ended(3);
  const isEnd = (id: number) => peer.of(TYPE.headers, id).length === 2;
  t.true(isEnd(3));
  const at = peer.frames.findIndex(({ streamId }) => streamId === 3);
  const later = peer.frames.slice(at).filter(({ streamId }) => streamId === 1).length;
  t.true(later > 0 || !isEnd(1), "the large one was not through");
  await peer.ended(1);
  t.is(peer.body(1).length, LARGE);
});

test("a small answer gets its turn in a window that many large ones have used up", async (t) => {
  const { peer, ask } = await serve(t);
  const large = [1, 3, 5, 7];
  for (const id of large) ask(id, LARGE);
  ask(9, 10);
  await peer.settle();
  t.is(peer.body(9).length, 0);
  // Each time less than a frame for each of the large ones.
  for (let round = 0; round < large.length + 1; round += 1) {
    peer.send(windowUpdate(0, 16_384));
    await peer.settle();
  }
  t.is(peer.body(9).length, 10);
  await peer.ended(9);
});

test("large answers share what the peer lets us send", async (t) => {
  const { peer, ask } = await serve(t);
  const ids = Array.from({ length: 10 }, (_, at) => at * 2 + 1);
  for (const id of ids) ask(id, LARGE);
  await peer.settle();
  const before = new Map(ids.map((id) => [id, peer.body(id).length]));
  for (let round = 0; round < 50; round += 1) peer.send(windowUpdate(0, 16_384));
  const all = () => ids.reduce((sum, id) => sum + peer.body(id).length, 0);
  await peer.until(() => all() === 65_535 + 50 * 16_384);
  const got = ids.map((id) => peer.body(id).length - (before.get(id) ?? 0));
  t.deepEqual(
    got,
    ids.map(() => 5 * 16_384),
  );
});

test("a stream that its own window stops does not stop the others", async (t) => {
  const server = await Http2Server.open(t, {
    onEnd: (request) => {
      request.stream.head(HEAD);
      request.write(Buffer.alloc(100_000));
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, settings([SETTING.initialWindowSize, 10]));
  for (const id of [1, 3, 5]) peer.send(headers(id, requestBlock(`/${id}`), END_STREAM));
  peer.send(windowUpdate(0, 1_000_000), windowUpdate(3, 1_000_000));
  await peer.ended(3);
  t.is(peer.body(3).length, 100_000);
  t.is(peer.body(1).length, 10);
  t.is(peer.body(5).length, 10);
});

test("small answers pass many large ones that fill the socket", async (t) => {
  const { server, peer, ask } = await serve(t);
  peer.send(windowUpdate(0, 2 ** 30));
  peer.socket.pause();
  const large = Array.from({ length: 30 }, (_, at) => at * 2 + 1);
  for (const id of large) ask(id, LARGE / 8);
  ask(101, 10);
  await server.until(() => server.requests.length === 31);
  peer.socket.resume();
  await peer.ended(101);
  const isOver = (id: number) => peer.of(TYPE.headers, id).length === 2;
  t.deepEqual(large.filter(isOver), []);
  for (const id of large) await peer.ended(id);
});
