// What a peer can make a connection hold, or do, has a bound: floods of all kinds, peers that do
// not read, and lists of fields without end. The connection of a good peer beside it goes on. One
// after the other, since floods at the same time would only wait for each other.

import test, { type ExecutionContext } from "ava";
import {
  CODE,
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  ping,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../support/http2/frames.js";
import { indexed, literal } from "../../support/http2/header-block.js";
import {
  ECHO,
  END,
  HEAD,
  Http2Server,
  type Http2ServerOptions,
} from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock, TRAILERS } from "../../support/http2/raw-peer.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const WIDE = [settings([SETTING.initialWindowSize, 2 ** 31 - 1]), windowUpdate(0, 2 ** 30)];
/** How many resets a peer has at once; and how many more a second. */
const RESETS = 10_000;

async function serve(
  t: ExecutionContext,
  options: Http2ServerOptions = ECHO,
  opening = settings(),
) {
  const server = await Http2Server.open(t, options);
  const good = await RawPeer.open(t, server.port);
  const peer = await RawPeer.open(t, server.port, opening);
  await good.settle();
  await peer.settle();
  const goodGoesOn = async () => {
    await good.settle();
    t.false(good.isClosed);
    t.is(server.connections[0]?.size, 0);
  };
  const connection = server.connections[1] as NonNullable<(typeof server.connections)[number]>;
  return { server, peer, connection, goodGoesOn };
}

/** Sends pieces, one behind the other as they are taken, until the connection is gone. */
async function flood(peer: RawPeer, piece: (round: number) => Buffer, roundsMax: number) {
  for (let round = 0; round < roundsMax && !peer.isClosed; round += 1) {
    await new Promise((resolve) => peer.socket.write(piece(round), resolve));
  }
}

test.serial("fields without end cost the connection, in pieces of any size", async (t) => {
  for (const bytes of [0, 1, 1000, 16_384]) {
    const { peer, goodGoesOn } = await serve(t);
    peer.send(frame(TYPE.headers, { id: 1, payload: requestBlock("/") }));
    const piece = Buffer.concat(Array(20).fill(continuation(1, Buffer.alloc(bytes, "x"))));
    await flood(peer, () => piece, 10_000);
    t.is(await peer.goaway(), CODE.calm, `CONTINUATION of ${bytes} bytes`);
    await goodGoesOn();
  }
});

test.serial("empty pieces of a block are few, since each is kept until its end", async (t) => {
  const { peer, connection, goodGoesOn } = await serve(t);
  const begin = (id: number, pieces: number) => [
    frame(TYPE.headers, { id, payload: requestBlock("/") }),
    ...Array<Buffer>(pieces).fill(continuation(id, "")),
  ];
  peer.send(...begin(1, 400), continuation(1, "", END_HEADERS));
  await peer.settle();
  t.is(connection.size, 1);
  peer.send(...begin(3, 600), ping("12345678"));
  t.is(await peer.goaway(), CODE.calm);
  await goodGoesOn();
});

test.serial(
  "a request whose fields are too large is refused, and the connection goes on",
  async (t) => {
    const { server, peer } = await serve(t);
    const large = requestBlock("/large", ["a", "x".repeat(15_000)], ["b", "x".repeat(15_000)]);
    const rest = literal({ name: "c", value: "x".repeat(4000), keeping: "kept" });
    peer.send(
      frame(TYPE.headers, { id: 1, payload: large.subarray(0, 16_000), flags: END_STREAM }),
      continuation(1, large.subarray(16_000)),
      continuation(1, rest, END_HEADERS),
    );
    t.is(await peer.reset(1), CODE.calm);
    t.is(server.requests.length, 0);
    peer.send(headers(3, Buffer.concat([requestBlock("/next"), indexed(62)]), END_STREAM));
    const next = await server.request("/next");
    t.is(next.head.fields[0]?.value.length, 4000, "what was refused was kept in the table");
  },
);

test.serial("a small block that means large fields is refused", async (t) => {
  const { server, peer } = await serve(t);
  const kept = literal({ name: "a", value: "x".repeat(4000), keeping: "kept" });
  const bomb = Buffer.concat([requestBlock("/bomb"), kept, Buffer.alloc(10_000, indexed(62))]);
  for (const id of [1, 3, 5]) {
    peer.send(headers(id, bomb, END_STREAM));
    t.is(await peer.reset(id), CODE.calm);
  }
  t.is(server.requests.length, 0);
});

test.serial("trailers that are too large reset their stream", async (t) => {
  const { server, peer } = await serve(t);
  const kept = literal({ name: "a", value: "x".repeat(4000), keeping: "kept" });
  peer.send(headers(1, requestBlock("/1")));
  peer.send(headers(1, Buffer.concat([kept, Buffer.alloc(100, indexed(62))]), END_STREAM));
  t.is(await peer.reset(1), CODE.protocol);
  t.false(server.requests[0]?.hasEnded);
});

/** What makes the server begin a request and let go of it: a reset of the peer's, and faults. */
const REQUEST = requestBlock("/");
const EMPTY = requestBlock("/", ["content-length", "0"]);
const RESETTING: Readonly<Record<string, (id: number) => Buffer[]>> = {
  "a reset": (id) => [headers(id, REQUEST), rstStream(id)],
  "a window of nothing": (id) => [headers(id, REQUEST), windowUpdate(id, 0)],
  "a window too large": (id) => [headers(id, REQUEST), windowUpdate(id, 2 ** 31 - 1)],
  "data after the end": (id) => [headers(id, REQUEST, END_STREAM), data(id, "")],
  "trailers after the end": (id) => [
    headers(id, REQUEST, END_STREAM),
    headers(id, TRAILERS, END_STREAM),
  ],
  "trailers that end nothing": (id) => [headers(id, REQUEST), headers(id, TRAILERS)],
  "a body that lies about its length": (id) => [headers(id, EMPTY), data(id, "x")],
};

for (const [what, frames] of Object.entries(RESETTING)) {
  test.serial(
    `a peer that ends its streams as fast as it begins them is cut off: ${what}`,
    async (t) => {
      const { server, peer, goodGoesOn } = await serve(t, {});
      const piece = (round: number) =>
        Buffer.concat(
          Array.from({ length: 500 }, (_, at) => frames(round * 1000 + at * 2 + 1)).flat(),
        );
      await flood(peer, piece, (RESETS / 500) * 2);
      t.is(await peer.goaway(), CODE.calm);
      t.is(server.requests.length, RESETS + 1);
      await goodGoesOn();
    },
  );
}

test.serial("resets are given back as time goes by", async (t) => {
  let nowMs = 0;
  const { peer, goodGoesOn } = await serve(t, { monotonicMs: () => nowMs });
  let id = 1;
  const resets = async (count: number) => {
    const frames: Buffer[] = [];
    for (const end = id + count * 2; id < end; id += 2) {
      frames.push(headers(id, REQUEST), rstStream(id));
    }
    peer.send(...frames);
  };
  await resets(RESETS);
  await peer.settle();
  nowMs += 2000;
  await resets(2000);
  await peer.settle();
  await resets(1);
  t.is(await peer.goaway(), CODE.calm);
  await goodGoesOn();
});

test.serial("a peer that makes us answer and does not read is cut off", async (t) => {
  const questions = { PING: ping("12345678"), SETTINGS: settings() };
  for (const [name, question] of Object.entries(questions)) {
    const { server, peer, connection, goodGoesOn } = await serve(t);
    peer.socket.pause();
    const piece = Buffer.alloc(question.length * 8192, question);
    let largest = 0;
    const isGone = server.until(() => connection.socket.destroyed);
    for (let round = 0; !connection.socket.destroyed; round += 1) {
      t.true(round < 1000, name);
      peer.socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
      largest = Math.max(largest, connection.socket.writableLength);
    }
    await isGone;
    t.true(largest < 2.5 * MIB, `${name}: ${largest}`);
    await goodGoesOn();
  }
});

test.serial(
  "for a peer that takes no data little is given to the socket, and all is counted",
  async (t) => {
    const writes = 300;
    const { server, peer, connection, goodGoesOn } = await serve(
      t,
      {
        onEnd: (request) => {
          request.stream.head(HEAD);
          for (let count = 0; count < writes; count += 1) request.write(Buffer.alloc(64 * KIB));
          request.stream.end(END);
        },
      },
      Buffer.concat(WIDE),
    );
    peer.socket.pause();
    peer.send(headers(1, requestBlock("/1"), END_STREAM));
    const request = await server.request("/1");
    t.true(connection.socket.writableLength <= 300 * KIB, `${connection.socket.writableLength}`);
    t.true(request.stream.unsentBytes + connection.socket.bytesWritten >= writes * 64 * KIB);
    t.true(request.stream.unsentBytes > 0 && request.writesOwed > 0);
    peer.socket.resume();
    await peer.ended(1);
    t.is(peer.body(1).length, writes * 64 * KIB);
    await server.until(() => request.writesOwed === 0);
    t.is(request.stream.unsentBytes, 0);
    await goodGoesOn();
  },
);

test.serial("what waits for a slow peer is not written over by what comes after it", async (t) => {
  const pattern = Buffer.from(Array.from({ length: 9973 }, (_, at) => (at * 31) >> 7));
  const body = Buffer.alloc(8 * MIB, pattern);
  const { server, peer, connection } = await serve(
    t,
    {
      onEnd: (request) => {
        request.stream.head(HEAD);
        for (let at = 0; at < body.length; at += 4000) request.write(body.subarray(at, at + 4000));
        request.stream.end(END);
      },
    },
    Buffer.concat(WIDE),
  );
  peer.socket.pause();
  peer.send(headers(1, requestBlock("/1"), END_STREAM));
  await server.request("/1");
  t.true(connection.socket.writableLength > 0);
  for (let round = 0; round < 10; round += 1) {
    const { bytesRead } = connection.socket;
    peer.send(ping("12345678"));
    while (connection.socket.bytesRead === bytesRead) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  peer.socket.resume();
  await peer.ended(1);
  t.true(peer.body(1).equals(body));
  t.is(peer.of(TYPE.ping, 0).length, 11);
});

test.serial("what is said to a socket that is full is not handed over word by word", async (t) => {
  const { server, peer, connection } = await serve(
    t,
    {
      onEnd: (request) => {
        request.stream.head(HEAD);
        for (let count = 0; count < 300; count += 1) request.write(Buffer.alloc(64 * KIB));
        request.stream.end(END);
      },
    },
    Buffer.concat(WIDE),
  );
  peer.socket.pause();
  peer.send(headers(1, requestBlock("/1"), END_STREAM));
  await server.request("/1");
  const { writableLength } = connection.socket;
  t.true(connection.socket.writableNeedDrain);
  for (let round = 0; round < 20; round += 1) {
    const { bytesRead } = connection.socket;
    peer.send(ping(`number${String(round).padStart(2)}`));
    while (connection.socket.bytesRead === bytesRead) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  t.is(connection.socket.writableLength, writableLength);
  t.true(connection.sender.bytes >= writableLength + 20 * 17);
  peer.socket.resume();
  await peer.ended(1);
  t.is(peer.body(1).length, 300 * 64 * KIB);
  const said = peer.of(TYPE.ping, 0).map(({ payload }) => payload.toString());
  t.deepEqual(
    said.slice(-20),
    Array.from({ length: 20 }, (_, round) => `number${String(round).padStart(2)}`),
  );
});

test.serial("when the socket goes, what waited in it and for it is called back", async (t) => {
  const { server, peer, connection, goodGoesOn } = await serve(
    t,
    {
      onEnd: (request) => {
        request.stream.head(HEAD);
        for (let count = 0; count < 400; count += 1) request.write(Buffer.alloc(32 * KIB));
      },
    },
    Buffer.concat(WIDE),
  );
  peer.socket.pause();
  peer.send(headers(1, requestBlock("/1"), END_STREAM), headers(3, requestBlock("/3"), END_STREAM));
  await server.request("/3");
  t.true(server.requests.every(({ writesOwed }) => writesOwed > 0));
  connection.socket.destroy();
  await server.until(() => server.requests.every((request) => request.isClosed));
  await server.until(() => server.requests.every((request) => request.writesOwed === 0));
  t.true(server.requests.every(({ stream }) => stream.unsentBytes === 0));
  await goodGoesOn();
});

test.serial("many tiny frames of data are a body like any other", async (t) => {
  const { server, peer } = await serve(t, {});
  peer.send(headers(1, requestBlock("/1")));
  const tiny = Buffer.concat(Array(10_000).fill(Buffer.concat([data(1, "x"), data(1, "")])));
  for (let round = 0; round < 3; round += 1) {
    peer.send(tiny);
    await peer.settle();
  }
  t.is(server.requests[0]?.bytes, 30_000);
  t.is(peer.of(TYPE.rstStream, 1).length, 0);
  t.true(peer.of(TYPE.windowUpdate, 1).length <= 1);
});

test.serial("half a frame waits for its other half, and for nothing else", async (t) => {
  const { server, peer } = await serve(t, {});
  const half = data(1, "x".repeat(16_384));
  peer.send(headers(1, requestBlock("/1")), half.subarray(0, 10_000));
  const request = await server.request("/1");
  t.is(request.bytes, 0);
  peer.send(half.subarray(10_000));
  await peer.settle();
  t.is(request.bytes, 16_384);
});
