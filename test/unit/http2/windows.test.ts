// The windows of both directions: RFC 9113, sections 5.2 and 6.9. What leaves never passes what the
// peer allows, and what the peer may send comes back as it is taken.

import test, { type ExecutionContext } from "ava";
import {
  CODE,
  data,
  END_STREAM,
  headers,
  PADDED,
  ping,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/http2/frames.js";
import { ECHO, END, HEAD, Http2Server, type Request } from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock } from "../../support/http2/raw-peer.js";

const { initialWindowSize, maxFrameSize } = SETTING;
const STREAM_WINDOW = 256 * 1024;
const FRAME = Buffer.alloc(16_384, "x");
const WIDE = 2 ** 31 - 1;

/** Answers with as many bytes as the path says. */
function answerOf(request: Request): void {
  request.stream.head(HEAD);
  request.write(Buffer.alloc(Number(request.path.slice(1)), request.path));
  request.stream.end(END);
}

async function asked(t: ExecutionContext, opening: Buffer, ...paths: string[]) {
  const server = await Http2Server.open(t, { onEnd: answerOf });
  const peer = await RawPeer.open(t, server.port, opening);
  const asks = paths.map((path, index) => {
    return headers(index * 2 + 1, requestBlock(path), END_STREAM);
  });
  peer.send(...asks);
  await peer.settle();
  const lengths = () => paths.map((_, index) => peer.body(index * 2 + 1).length);
  const gives = async (...sent: Buffer[]) => {
    peer.send(...sent);
    await peer.settle();
    return lengths();
  };
  return { server, peer, lengths, gives };
}

test("data leaves as far as a stream's window allows, to the byte", async (t) => {
  const opening = settings([initialWindowSize, 10]);
  const { lengths, gives, peer, server } = await asked(t, opening, "/100");
  t.deepEqual(lengths(), [10]);
  t.deepEqual(await gives(windowUpdate(1, 1)), [11]);
  t.deepEqual(await gives(windowUpdate(0, 50)), [11], "the connection's is another");
  t.deepEqual(await gives(windowUpdate(1, 88)), [99]);
  t.is(server.requests[0]?.stream.unsentBytes, 1);
  t.is(peer.of(TYPE.headers, 1).length, 1);
  t.deepEqual(await gives(windowUpdate(1, 1)), [100]);
  t.is(peer.of(TYPE.headers, 1).length, 2, "the end");
});

test("data leaves as far as the connection's window allows, to the byte", async (t) => {
  const opening = settings([initialWindowSize, 200_000]);
  const { lengths, gives } = await asked(t, opening, "/65535", "/100", "/100");
  t.deepEqual(lengths(), [65_535, 0, 0]);
  t.deepEqual(await gives(windowUpdate(3, 10)), [65_535, 0, 0]);
  t.deepEqual(await gives(windowUpdate(0, 150)), [65_535, 100, 50]);
  t.deepEqual(await gives(windowUpdate(0, 50)), [65_535, 100, 100]);
});

test("a smaller INITIAL_WINDOW_SIZE takes windows below 0, and they come up again", async (t) => {
  const { lengths, gives } = await asked(t, settings([initialWindowSize, 100]), "/300");
  t.deepEqual(lengths(), [100]);
  t.deepEqual(await gives(settings([initialWindowSize, 40])), [100], "now at -60");
  t.deepEqual(await gives(windowUpdate(1, 60)), [100], "now at 0");
  t.deepEqual(await gives(windowUpdate(1, 1)), [101]);
  t.deepEqual(await gives(settings([initialWindowSize, 0])), [101], "now at -40");
  t.deepEqual(await gives(settings([initialWindowSize, 50])), [111], "now at 0");
});

test("a larger INITIAL_WINDOW_SIZE lets streams go on that wait, and counts for new ones", async (t) => {
  const { gives, lengths, peer } = await asked(t, settings([initialWindowSize, 0]), "/50", "/50");
  t.deepEqual(lengths(), [0, 0]);
  t.deepEqual(await gives(settings([initialWindowSize, 20])), [20, 20]);
  t.deepEqual(await gives(settings([initialWindowSize, 5], [initialWindowSize, 50])), [50, 50]);
  peer.send(headers(5, requestBlock("/60"), END_STREAM));
  await peer.settle();
  t.is(peer.body(5).length, 50);
});

test("frames are no larger than MAX_FRAME_SIZE says, also when it changes", async (t) => {
  const opening = settings([initialWindowSize, WIDE]);
  const { peer, gives } = await asked(t, opening, "/65535", "/200000");
  const largest = (id: number) =>
    Math.max(...peer.of(TYPE.data, id).map(({ payload }) => payload.length));
  t.is(largest(1), 16_384);
  await gives(settings([maxFrameSize, 100_000]), windowUpdate(0, 300_000));
  t.true(largest(3) > 16_384 && largest(3) <= 100_000);
  t.is(peer.body(3).length, 200_000);
  await gives(settings([maxFrameSize, 16_384]), headers(5, requestBlock("/50000"), END_STREAM));
  t.is(largest(5), 16_384);
});

test("SETTINGS are acknowledged, each once", async (t) => {
  const { peer, gives } = await asked(t, settings());
  await gives(settings(), settings([initialWindowSize, 1]));
  t.is(peer.frames.filter(({ type, flags }) => type === TYPE.settings && flags === 1).length, 3);
});

test("small writes of a turn leave in one frame, and count each byte once", async (t) => {
  const server = await Http2Server.open(t, {
    onEnd: (request) => {
      request.stream.head(HEAD);
      for (let byte = 0; byte < 200; byte += 1) request.write(Buffer.from([byte]));
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port, settings([initialWindowSize, 150]));
  peer.send(headers(1, requestBlock("/"), END_STREAM));
  await peer.settle();
  t.is(peer.of(TYPE.data, 1).length, 1);
  t.is(peer.body(1).length, 150);
  peer.send(windowUpdate(1, 50));
  await peer.ended(1);
  t.deepEqual(
    [...peer.body(1)],
    Array.from({ length: 200 }, (_, byte) => byte),
  );
});

test("small writes of a turn fill frames that every peer takes", async (t) => {
  const body = Buffer.from(Array.from({ length: 60_000 }, (_, at) => at % 251));
  const server = await Http2Server.open(t, {
    onEnd: (request) => {
      request.stream.head(HEAD);
      for (let at = 0; at < body.length; at += 1000) request.write(body.subarray(at, at + 1000));
      request.stream.end(END);
    },
  });
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/"), END_STREAM));
  await peer.ended(1);
  const lengths = peer.of(TYPE.data, 1).map(({ payload }) => payload.length);
  t.true(lengths.length < 10, `${lengths}`);
  t.true(
    lengths.every((length) => length <= 16_384),
    `${lengths}`,
  );
  t.true(peer.body(1).equals(body));
});

test("data is not joined to a frame that has left", async (t) => {
  const server = await Http2Server.open(t, ECHO);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/")));
  await peer.settle();
  peer.send(data(1, "12345678"));
  await peer.settle();
  // As long as the frame of data before it, and answered first.
  peer.send(ping("question"), data(1, "87654321"));
  await peer.until(() => peer.body(1).length === 16);
  t.is(peer.body(1).toString(), "1234567887654321");
  const answers = peer.of(TYPE.ping, 0).map(({ payload }) => payload.toString());
  t.true(answers.includes("question"));
});

async function receiving(t: ExecutionContext, onRequest?: (request: Request) => void) {
  const server = await Http2Server.open(t, onRequest === undefined ? {} : { onRequest });
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/1")), headers(3, requestBlock("/3")));
  await peer.settle();
  /** As many frames as fill a stream's window. */
  const fill = (id: number) =>
    Array.from({ length: STREAM_WINDOW / FRAME.length }, () => data(id, FRAME));
  const [first, second] = server.requests;
  return { server, peer, fill, first: first as Request, second: second as Request };
}

test("what is taken may be sent again, padding included", async (t) => {
  const { peer, first } = await receiving(t);
  const padded = Buffer.concat([Buffer.from([255]), Buffer.alloc(256, "x")]);
  const frames = 2 * (STREAM_WINDOW / 256);
  let sent = 0;
  for (let count = 0; count < frames; count += 100) {
    const part = Array.from({ length: 100 }, () => data(1, padded, PADDED));
    sent += 100 * padded.length;
    peer.send(...part);
    await peer.settle();
    const opened = peer.credit(1);
    t.true(sent - opened < STREAM_WINDOW, `${sent} sent, ${opened} given back`);
    t.true(opened <= sent);
  }
  t.is(first.bytes, sent / 257);
  t.is(peer.of(TYPE.rstStream, 1).length, 0);
});

test("a peer that passes a stream's window loses the stream, and nothing else", async (t) => {
  const { peer, fill, second, first } = await receiving(t, ({ stream }) => stream.pause());
  peer.send(...fill(1), data(3, "hello"));
  await peer.settle();
  t.is(first.bytes, STREAM_WINDOW);
  t.is(peer.of(TYPE.rstStream, 1).length, 0, "to the byte");
  peer.send(data(1, "x"));
  t.is(await peer.reset(1), CODE.flowControl);
  t.true(first.isClosed);
  t.is(first.bytes, STREAM_WINDOW);
  t.is(second.bytes, 5);
  t.false(second.isClosed);
});

test("a stream that is paused gets no window, while others go on", async (t) => {
  const { peer, fill, first, second } = await receiving(t, ({ stream, path }) => {
    if (path === "/1") stream.pause();
  });
  peer.send(...fill(1));
  await peer.settle();
  for (let round = 0; round < 6; round += 1) {
    peer.send(...fill(3));
    await peer.settle();
  }
  t.is(second.bytes, 6 * STREAM_WINDOW, "more than the connection's window");
  t.is(peer.credit(1), 0);
  first.stream.resume();
  await peer.settle();
  t.is(peer.credit(1), STREAM_WINDOW);
  peer.send(...fill(1));
  await peer.settle();
  t.is(first.bytes, 2 * STREAM_WINDOW);
  t.is(peer.of(TYPE.rstStream, 1).length, 0);
});

test("a stream that was paused for little data loses nothing of its window", async (t) => {
  const { peer, fill, first } = await receiving(t);
  for (let round = 0; round < 30; round += 1) {
    first.stream.pause();
    peer.send(data(1, FRAME));
    await peer.settle();
    first.stream.resume();
    await peer.settle();
    t.true(30 * FRAME.length - peer.credit(1) >= 0);
  }
  t.true(30 * FRAME.length - peer.credit(1) <= STREAM_WINDOW / 2);
  t.is(peer.of(TYPE.rstStream, 1).length, 0);
  peer.send(...fill(1).slice(8));
  await peer.settle();
  t.is(first.bytes, 38 * FRAME.length);
});

test("data of streams that are gone gives the connection's window back", async (t) => {
  const { peer, first, second } = await receiving(t, ({ stream, path }) => {
    if (path === "/1") stream.reset(CODE.cancel);
  });
  t.true(first.isClosed);
  const half = Array.from({ length: 32 }, () => data(1, FRAME));
  peer.send(...half);
  await peer.settle();
  t.is(65_535 + peer.credit(0), 1024 * 1024 + 32 * FRAME.length, "at half of it");
  const gone = Array.from({ length: 60 }, () => data(1, FRAME));
  for (let round = 0; round < 4; round += 1) {
    peer.send(...gone);
    await peer.settle();
  }
  t.is(first.bytes, 0);
  t.true(peer.credit(0) > 3 * 1024 * 1024);
  peer.send(data(3, "hello"));
  await peer.settle();
  t.is(second.bytes, 5);
});

test("the window of a request that has ended is not opened", async (t) => {
  const { peer, first } = await receiving(t);
  const frames = Array.from({ length: 7 }, () => data(1, FRAME));
  peer.send(...frames, data(1, FRAME, END_STREAM));
  await peer.settle();
  t.is(first.bytes, 8 * FRAME.length);
  t.is(peer.credit(1), 0);
});
