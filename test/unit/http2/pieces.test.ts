// Frames cut anywhere, and frames of chance. Neither how bytes arrive nor what they are may make
// more of a difference than RFC 9113 says: at worst a connection ends.

import test, { type ExecutionContext } from "ava";
import { FrameReader } from "../../../server/http2/frame-reader.js";
import {
  CLIENT_PREFACE,
  continuation,
  cutFrames,
  data,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  headers,
  PADDED,
  ping,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/http2/frames.js";
import { ECHO, Http2Server } from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock, TRAILERS } from "../../support/http2/raw-peer.js";
import { type SeededRandom, seededRandom } from "../../support/seeded-random.js";

const SEED = Number(process.env["KVD_SEED"] ?? 7541);
const RUNS = Number(process.env["KVD_RUNS"] ?? 150);

/** A conversation of its own, with a bit of everything, that ends with an answer on stream 5. */
const BLOCK = requestBlock("/cut", ["a", "b".repeat(40)]);
const TALK = Buffer.concat([
  CLIENT_PREFACE,
  settings([SETTING.initialWindowSize, 1000], [SETTING.enablePush, 0]),
  frame(TYPE.headers, { id: 1, payload: BLOCK.subarray(0, 20) }),
  continuation(1, BLOCK.subarray(20, 30)),
  continuation(1, BLOCK.subarray(30), END_HEADERS),
  data(1, "hello"),
  data(1, "\x03pad...", PADDED),
  frame(0xee, { payload: "unknown", flags: 0xff }),
  windowUpdate(0, 1000),
  headers(3, requestBlock("/gone")),
  rstStream(3),
  headers(1, TRAILERS, END_STREAM),
  ping("12345678"),
  headers(5, requestBlock("/last")),
  data(5, "!", END_STREAM),
]);

async function talk(t: ExecutionContext, server: Http2Server, pieces: readonly Buffer[]) {
  const place = server.connections.length;
  const peer = await RawPeer.connect(t, server.port);
  await server.until(() => server.connections.length > place);
  const { socket } = server.connections[place] as (typeof server.connections)[number];
  let sent = 0;
  for (const piece of pieces) {
    peer.send(piece);
    sent += piece.length;
    // Each piece is read by itself.
    while (socket.bytesRead < sent) await new Promise((resolve) => setImmediate(resolve));
  }
  await peer.ended(5);
  const said = [1, 5].map((id) => peer.body(id).toString());
  const ends = [1, 3, 5].map((id) => peer.of(TYPE.headers, id).length);
  peer.socket.destroy();
  return { said, ends };
}

const ANSWERS = { said: ["hellopad", "!"], ends: [2, 1, 2] };

test("a conversation that comes in two pieces, cut anywhere, is the same", async (t) => {
  const server = await Http2Server.open(t);
  t.like(await talk(t, server, [TALK]), { said: ANSWERS.said });
  for (let at = 1; at < TALK.length; at += 1) {
    const answers = await talk(t, server, [TALK.subarray(0, at), TALK.subarray(at)]);
    t.deepEqual(answers.said, ANSWERS.said, `cut at ${at}`);
    t.deepEqual([answers.ends[0], answers.ends[2]], [2, 2]);
  }
});

test("a conversation that comes byte by byte is the same", async (t) => {
  const server = await Http2Server.open(t);
  const bytes = Array.from(TALK, (byte) => Buffer.from([byte]));
  t.deepEqual(await talk(t, server, bytes), ANSWERS);
});

test("frames are read the same however they are cut", (t) => {
  const random = seededRandom(SEED);
  const bytes = TALK.subarray(CLIENT_PREFACE.length);
  const whole = cutFrames(bytes).frames;
  for (let run = 0; run < RUNS; run += 1) {
    const reader = new FrameReader();
    const read: Frame[] = [];
    for (let at = 0; at < bytes.length; ) {
      const to = at + 1 + random.below(random.pick([2, 12, 200]));
      const isGood = reader.take(Buffer.from(bytes.subarray(at, to)), (head, payload) => {
        read.push({ ...head, payload: Buffer.from(payload) });
        return true;
      });
      t.true(isGood);
      at = to;
    }
    t.deepEqual(read, whole);
  }
});

test("a reader stops where it is told to, and tells of a frame too large by its head", (t) => {
  const reader = new FrameReader();
  let count = 0;
  t.true(
    reader.take(Buffer.concat([ping("12345678"), ping("12345678")]), () => {
      count += 1;
      return false;
    }),
  );
  t.is(count, 1);
  const large = frame(TYPE.data, { length: 16_385 });
  t.false(new FrameReader().take(large, () => true));
  t.true(new FrameReader().take(frame(TYPE.data, { length: 16_384 }), () => true));
});

function chance(random: SeededRandom): Buffer {
  const bytes = () =>
    Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)));
  const id = random.pick([0, 1, 1, 3, 3, 5, 5, 7, 9, 2, 2 ** 31 - 1]);
  const flags = random.pick([0, 0, END_STREAM, END_STREAM, PADDED, 0xff, random.below(256)]);
  const block = random.pick([requestBlock("/"), requestBlock("/"), TRAILERS, bytes()]);
  return random.pick([
    () => headers(id, block, flags),
    () => headers(id, block, flags & END_STREAM),
    () => headers(id, block),
    () => data(id, bytes(), flags),
    () => data(id, bytes()),
    () => data(id, "x".repeat(random.below(16_384))),
    () => rstStream(id, random.below(16)),
    () => windowUpdate(id, random.pick([0, 1, 100, 65_535, 2 ** 31 - 1])),
    () => settings([random.below(8), random.pick([0, 1, 100, 4096, 16_384, 2 ** 31 - 1])]),
    () => settings([SETTING.initialWindowSize, random.below(100)]),
    () => ping("12345678", random.below(2)),
    () => frame(TYPE.headers, { id, payload: block, flags: flags & ~END_HEADERS }),
    () => continuation(id, block, flags),
    () => frame(random.below(12), { id, flags, payload: bytes() }),
    () => frame(random.below(256), { id, flags, payload: bytes(), length: random.below(40) }),
    () => bytes(),
  ])();
}

test("no frames of chance are a bug, nor noticed by another connection", async (t) => {
  t.log(`KVD_SEED=${SEED}`);
  const server = await Http2Server.open(t, {
    streamsMax: 4,
    onRequest: (request) => ECHO.onRequest?.(request),
    onData: (request, bytes) => {
      ECHO.onData?.(request, bytes);
      if (bytes[0] === 1) request.stream.pause();
      if (bytes[0] === 2) request.stream.resume();
      if (bytes[0] === 3) request.stream.reset(8);
      if (bytes[0] === 4) ECHO.onEnd?.(request);
      if (bytes[0] === 5) request.stream.connection.drain();
    },
    onEnd: (request) => ECHO.onEnd?.(request),
  });
  const good = await RawPeer.open(t, server.port);
  for (let run = 0; run < RUNS; run += 1) {
    const random = seededRandom(SEED + run);
    const peer = await RawPeer.open(t, server.port);
    const frames = Array.from({ length: 1 + random.below(60) }, () => chance(random));
    const bytes = Buffer.concat(frames);
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + random.below(random.pick([20, 2000, 20_000]));
      peer.send(bytes.subarray(at, at + length));
      at += length;
    }
    peer.socket.end();
    peer.socket.resume();
    await peer.closed;
    good.send(headers(run * 2 + 1, requestBlock("/good")), data(run * 2 + 1, "hi", END_STREAM));
    await good.ended(run * 2 + 1);
    t.deepEqual(server.bugs, [], `KVD_SEED=${SEED + run} KVD_RUNS=1`);
  }
  await server.until(() => server.connections.slice(1).every(({ size }) => size === 0));
  t.is(good.body(1).toString(), "hi");
});
