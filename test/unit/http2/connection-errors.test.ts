// What a peer must not do, section by section of RFC 9113, and with which code it is told so: on
// its stream, while the connection goes on, or on the connection, which ends. Each case is the
// last of what a peer of its own sends; another peer of the same server must not notice.

import test, { type ExecutionContext } from "ava";
import {
  ACK,
  CLIENT_PREFACE,
  CODE,
  continuation,
  data,
  END_STREAM,
  frame,
  headers,
  PADDED,
  PRIORITY,
  ping,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
  word,
} from "../../support/http2/frames.js";
import { indexed, literal, tableSize } from "../../support/http2/header-block.js";
import { ECHO, Http2Server } from "../../support/http2/http2-server.js";
import { RawPeer, requestBlock, TRAILERS } from "../../support/http2/raw-peer.js";

const OPEN = headers(1, requestBlock("/open"));
const HALF_CLOSED = headers(1, requestBlock("/half"), END_STREAM);
const CLOSED_BY_RESET = Buffer.concat([OPEN, rstStream(1)]);
const UNTIL_HEADERS_END = frame(TYPE.headers, { id: 1, payload: requestBlock("/").subarray(0, 4) });
const HUGE = 2 ** 31 - 1;

/** Echoes, but "/half" is never answered: its stream stays half-closed. */
async function serve(t: ExecutionContext) {
  const server = await Http2Server.open(t, {
    ...ECHO,
    onEnd: (request) => {
      if (request.path !== "/half") ECHO.onEnd?.(request);
    },
  });
  const good = await RawPeer.open(t, server.port);
  const echoes = async (peer: RawPeer, id: number, path = "/good") => {
    peer.send(headers(id, requestBlock(path)), data(id, "hello"), data(id, "!", END_STREAM));
    await peer.ended(id);
    t.is(peer.body(id).toString(), "hello!");
  };
  await echoes(good, 1);
  return { server, good, echoes };
}

const onConnection = test.macro({
  title: (title = "") => `${title}: the connection ends`,
  exec: async (t: ExecutionContext, codes: number | readonly number[], ...sent: Buffer[]) => {
    const { server, good, echoes } = await serve(t);
    const peer = await RawPeer.open(t, server.port);
    peer.send(...sent);
    const code = await peer.goaway();
    t.true([codes].flat().includes(code), `GOAWAY with code ${code}`);
    await server.until(() => server.connections[1]?.size === 0);
    await echoes(good, 3);
  },
});

const onStream = test.macro({
  title: (title = "") => `${title}: the stream ends`,
  exec: async (t: ExecutionContext, code: number, ...sent: Buffer[]) => {
    const { server, good, echoes } = await serve(t);
    const peer = await RawPeer.open(t, server.port);
    peer.send(...sent);
    t.is(await peer.reset(1), code);
    await echoes(peer, 101);
    t.is(peer.of(TYPE.rstStream, 1).length, 1);
    t.is(peer.of(TYPE.goaway, 0).length, 0);
    await echoes(good, 3);
  },
});

const ignored = test.macro({
  title: (title = "") => `${title}: nothing happens`,
  exec: async (t: ExecutionContext, first: Buffer, ...more: Buffer[]) => {
    const { server, echoes } = await serve(t);
    const peer = await RawPeer.open(t, server.port);
    peer.send(first, ...more);
    await echoes(peer, 101);
    t.is(peer.of(TYPE.goaway, 0).length, 0);
    t.is(peer.frames.filter(({ type }) => type === TYPE.rstStream).length, 0);
  },
});

// 3.4: the preface.

async function opened(t: ExecutionContext, ...sent: Buffer[]): Promise<number> {
  const { server, good, echoes } = await serve(t);
  const peer = await RawPeer.connect(t, server.port);
  peer.send(...sent);
  const code = await peer.goaway();
  await echoes(good, 3);
  return code;
}

test("a preface that is none", async (t) => {
  t.is(await opened(t, Buffer.from("GET / HTTP/1.1\r\nhost: a\r\n\r\n")), CODE.protocol);
});

test("a preface that goes wrong at its end", async (t) => {
  const wrong = Buffer.from(CLIENT_PREFACE);
  wrong[23] = 0;
  t.is(await opened(t, wrong.subarray(0, 20), wrong.subarray(20)), CODE.protocol);
});

test("a first frame that is not SETTINGS", async (t) => {
  t.is(await opened(t, CLIENT_PREFACE, HALF_CLOSED), CODE.protocol);
});

test("a first frame of a type that nobody knows", async (t) => {
  t.is(await opened(t, CLIENT_PREFACE, frame(0xfa)), CODE.protocol);
});

test("a first frame that acknowledges SETTINGS", async (t) => {
  const ack = frame(TYPE.settings, { flags: ACK });
  t.is(await opened(t, CLIENT_PREFACE, ack), CODE.protocol);
});

// 4: frames and blocks of fields.

test(
  "4.1 a frame of an unknown type",
  ignored,
  frame(0xfa, { id: 1, payload: "abc", flags: 0xff }),
);
test("4.1 flags that are not defined", ignored, ping("12345678", 0xfe), data(1, "").subarray(9));
test("4.1 the reserved bit of a stream's number", ignored, windowUpdate(2 ** 31, 1));
test(
  "4.2 DATA larger than agreed",
  onConnection,
  CODE.frameSize,
  OPEN,
  data(1, "x".repeat(16_385)),
);
test(
  "4.2 HEADERS larger than agreed",
  onConnection,
  CODE.frameSize,
  headers(1, requestBlock("/", ["a", "x".repeat(17_000)])),
);
test(
  "4.2 a large frame's head alone",
  onConnection,
  CODE.frameSize,
  frame(0xfa, { length: 16_385 }),
);
test("4.2 SETTINGS larger than agreed", onConnection, CODE.frameSize, frame(4, { length: 16_386 }));
test("4.3 a block that cannot be read", onConnection, CODE.compression, headers(1, indexed(0)));
test("4.3 a table larger than agreed", onConnection, CODE.compression, headers(1, tableSize(4097)));
test(
  "4.3 trailers that cannot be read",
  onConnection,
  CODE.compression,
  OPEN,
  headers(1, Buffer.from("4003", "hex"), END_STREAM),
);
test(
  "4.3 a block of a stream that was reset, which cannot be read",
  onConnection,
  CODE.compression,
  CLOSED_BY_RESET,
  headers(1, indexed(70), END_STREAM),
);
test(
  "4.3 PRIORITY in a block",
  onConnection,
  CODE.protocol,
  UNTIL_HEADERS_END,
  frame(2, { id: 1 }),
);
test(
  "4.3 an unknown frame in a block",
  onConnection,
  CODE.protocol,
  UNTIL_HEADERS_END,
  frame(0xfa),
);
test("4.3 DATA in a block", onConnection, CODE.protocol, UNTIL_HEADERS_END, data(1, "x"));
test(
  "4.3 HEADERS in a block of another stream",
  onConnection,
  CODE.protocol,
  UNTIL_HEADERS_END,
  headers(3, requestBlock("/")),
);

// 5.1: the states of a stream.

test("5.1 idle: DATA", onConnection, CODE.protocol, data(1, "x"));
test("5.1 idle: RST_STREAM", onConnection, CODE.protocol, rstStream(1));
test("5.1 idle: WINDOW_UPDATE", onConnection, CODE.protocol, windowUpdate(1, 1));
test("5.1 idle: CONTINUATION", onConnection, CODE.protocol, continuation(1, "", 4));
test("5.1 idle: PRIORITY", ignored, frame(TYPE.priority, { id: 1, payload: "12345" }));
test("5.1 half-closed: DATA", onStream, CODE.streamClosed, HALF_CLOSED, data(1, "x"));
test("5.1 half-closed: empty DATA", onStream, CODE.streamClosed, HALF_CLOSED, data(1, "", 1));
test(
  "5.1 half-closed: HEADERS",
  onStream,
  CODE.streamClosed,
  HALF_CLOSED,
  headers(1, TRAILERS, END_STREAM),
);
test(
  "5.1 half-closed: CONTINUATION",
  onConnection,
  CODE.protocol,
  HALF_CLOSED,
  continuation(1, ""),
);
test("5.1 half-closed: WINDOW_UPDATE", ignored, HALF_CLOSED, windowUpdate(1, 1));
test(
  "5.1 half-closed: PRIORITY",
  ignored,
  HALF_CLOSED,
  frame(TYPE.priority, { id: 1, payload: "12345" }),
);
test("5.1 closed: RST_STREAM", ignored, CLOSED_BY_RESET, rstStream(1));
test("5.1 closed: WINDOW_UPDATE", ignored, CLOSED_BY_RESET, windowUpdate(1, 1));
test("5.1 closed: DATA that was on its way", ignored, CLOSED_BY_RESET, data(1, "x"));
test(
  "5.1 closed: trailers that were on their way",
  ignored,
  CLOSED_BY_RESET,
  headers(1, TRAILERS, 1),
);
test("5.1 closed: CONTINUATION", onConnection, CODE.protocol, CLOSED_BY_RESET, continuation(1, ""));
test("5.1 closed: a request", onConnection, [1, 5], CLOSED_BY_RESET, headers(1, requestBlock("/")));
test("5.1.1 a request of an even number", onConnection, 1, headers(2, requestBlock("/")));
test(
  "5.1.1 a request of a number below one that was used",
  onConnection,
  CODE.protocol,
  headers(5, requestBlock("/")),
  headers(3, requestBlock("/")),
);
test("5.1.1 DATA of an even number", onConnection, CODE.protocol, OPEN, data(2, "x"));
test("5.1.1 the largest number", ignored, frame(TYPE.priority, { id: HUGE, payload: "12345" }));

test("5.1.2 more streams than allowed are refused, and not begun", async (t) => {
  const server = await Http2Server.open(t, { streamsMax: 2 });
  const peer = await RawPeer.open(t, server.port);
  const ids = [1, 3, 5, 7];
  peer.send(...ids.map((id) => headers(id, requestBlock(`/${id}`))));
  t.is(await peer.reset(5), CODE.refused);
  t.is(await peer.reset(7), CODE.refused);
  t.deepEqual(
    server.requests.map(({ path }) => path),
    ["/1", "/3"],
  );
  peer.send(rstStream(1), headers(9, requestBlock("/9"), END_STREAM));
  await server.request("/9");
});

// 5.4.1: the end of a connection.

test("5.4.1 GOAWAY names the last stream that was begun", async (t) => {
  const { server } = await serve(t);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(7, requestBlock("/half"), END_STREAM));
  await peer.settle();
  peer.send(ping("short"));
  const { payload } = await peer.first(({ type }) => type === TYPE.goaway);
  t.is(payload.readUInt32BE(0), 7);
  t.is(server.connections[1]?.begun, 1, "numbers that were passed over are no streams");
  await peer.closed;
});

test("5.4.1 what comes after the fault is not looked at", async (t) => {
  const { server } = await serve(t);
  const peer = await RawPeer.open(t, server.port);
  peer.send(ping("short"), headers(1, requestBlock("/late"), END_STREAM), ping("short"));
  t.is(await peer.goaway(), CODE.frameSize);
  t.is(peer.of(TYPE.goaway, 0).length, 1);
  t.false(server.requests.some(({ path }) => path === "/late"));
});

// 6.1 to 6.10: the frames.

test("6.1 DATA of stream 0", onConnection, CODE.protocol, data(0, "x"));
test("6.1 padding as long as DATA", onConnection, 1, OPEN, data(1, "\x05abcd", PADDED));
test("6.1 padding without a length", onConnection, [1, 6], OPEN, data(1, "", PADDED));
test("6.2 HEADERS of stream 0", onConnection, CODE.protocol, headers(0, requestBlock("/")));
test("6.2 padding as long as HEADERS", onConnection, 1, headers(1, "\x05abcd", PADDED));
test(
  "6.2 padding that reaches into the priority",
  onConnection,
  [1, 6],
  headers(1, "\x02abcde", 0x28),
);
test("6.2 HEADERS without their priority", onConnection, [1, 6], headers(1, "abcd", PRIORITY));
test("6.3 PRIORITY of stream 0", onConnection, CODE.protocol, frame(2, { payload: "12345" }));
test(
  "6.3 PRIORITY of 4 bytes",
  onConnection,
  CODE.frameSize,
  OPEN,
  frame(2, { id: 1, payload: "1234" }),
);
test("6.4 RST_STREAM of stream 0", onConnection, CODE.protocol, rstStream(0));
test("6.4 RST_STREAM of 3 bytes", onConnection, 6, OPEN, frame(3, { id: 1, payload: "123" }));
test("6.4 RST_STREAM of 5 bytes", onConnection, 6, OPEN, frame(3, { id: 1, payload: "12345" }));
test(
  "6.5 an acknowledgement that says something",
  onConnection,
  6,
  frame(4, { flags: 1, payload: "x" }),
);
test(
  "6.5 SETTINGS of a stream",
  onConnection,
  CODE.protocol,
  OPEN,
  frame(TYPE.settings, { id: 1 }),
);
test(
  "6.5 SETTINGS of 5 bytes",
  onConnection,
  CODE.frameSize,
  frame(TYPE.settings, { payload: "12345" }),
);
test("6.5.2 ENABLE_PUSH of 2", onConnection, CODE.protocol, settings([SETTING.enablePush, 2]));
test(
  "6.5.2 INITIAL_WINDOW_SIZE of 2^31",
  onConnection,
  CODE.flowControl,
  settings([SETTING.initialWindowSize, 2 ** 31]),
);
test("6.5.2 MAX_FRAME_SIZE of 16383", onConnection, 1, settings([SETTING.maxFrameSize, 16_383]));
test("6.5.2 MAX_FRAME_SIZE of 2^24", onConnection, 1, settings([SETTING.maxFrameSize, 2 ** 24]));
test(
  "6.5.2 a setting that nobody knows",
  ignored,
  settings([0xfa, 1], [SETTING.maxFrameSize, 2 ** 14]),
);
test("6.6 PUSH_PROMISE", onConnection, CODE.protocol, OPEN, frame(5, { id: 1, payload: word(2) }));
test(
  "6.7 PING of a stream",
  onConnection,
  CODE.protocol,
  OPEN,
  frame(6, { id: 1, payload: "12345678" }),
);
test("6.7 PING of 7 bytes", onConnection, CODE.frameSize, ping("1234567"));
test("6.7 PING of 9 bytes", onConnection, CODE.frameSize, ping("123456789"));
test("6.7 an answer to no PING", ignored, ping("12345678", ACK));
test(
  "6.8 GOAWAY of a stream",
  onConnection,
  CODE.protocol,
  frame(7, { id: 1, payload: "12345678" }),
);
test(
  "6.8 GOAWAY of 7 bytes",
  onConnection,
  CODE.frameSize,
  frame(TYPE.goaway, { payload: "1234567" }),
);
test("6.8 GOAWAY that comes early", ignored, frame(TYPE.goaway, { payload: Buffer.alloc(8) }));
test("6.9 WINDOW_UPDATE of 0 bytes for the connection", onConnection, 1, windowUpdate(0, 0));
test("6.9 WINDOW_UPDATE of 0 bytes for a stream", onStream, 1, OPEN, windowUpdate(1, 0));
test("6.9 the reserved bit of a WINDOW_UPDATE", ignored, windowUpdate(0, 2 ** 31 + 1));
test("6.9 WINDOW_UPDATE of 3 bytes", onConnection, 6, frame(8, { payload: "123" }));
test("6.9 WINDOW_UPDATE of 5 bytes", onConnection, 6, OPEN, frame(8, { id: 1, payload: "12345" }));
test("6.9.1 the connection's window above 2^31-1", onConnection, 3, windowUpdate(0, HUGE));
test("6.9.1 a stream's window above 2^31-1", onStream, 3, HALF_CLOSED, windowUpdate(1, HUGE));
test(
  "6.9.2 a stream's window above 2^31-1 by SETTINGS",
  onConnection,
  CODE.flowControl,
  HALF_CLOSED,
  windowUpdate(1, 1),
  settings([SETTING.initialWindowSize, HUGE]),
);
test("6.10 CONTINUATION of stream 0", onConnection, 1, UNTIL_HEADERS_END, continuation(0, ""));
test(
  "6.10 CONTINUATION of another stream",
  onConnection,
  1,
  UNTIL_HEADERS_END,
  continuation(3, ""),
);
test("6.10 CONTINUATION after the end of its block", onConnection, 1, OPEN, continuation(1, ""));

// 8.1: messages.

test("8.1 trailers that do not end the request", onStream, 1, OPEN, headers(1, TRAILERS));
test(
  "8.1 trailers with a pseudo-field",
  onStream,
  CODE.protocol,
  OPEN,
  headers(1, literal({ name: ":method", value: "GET" }), END_STREAM),
);
test(
  "8.1.1 less data than content-length says",
  onStream,
  CODE.protocol,
  headers(1, requestBlock("/", ["content-length", "2"])),
  data(1, "x", END_STREAM),
);
test(
  "8.1.1 more data than content-length says",
  onStream,
  CODE.protocol,
  headers(1, requestBlock("/", ["content-length", "2"])),
  data(1, "xyz"),
);
test(
  "8.1.1 less data than content-length says, and trailers",
  onStream,
  CODE.protocol,
  headers(1, requestBlock("/", ["content-length", "2"])),
  headers(1, TRAILERS, END_STREAM),
);
test(
  "8.1.1 no data where content-length says some",
  onStream,
  CODE.protocol,
  headers(1, requestBlock("/", ["content-length", "2"]), END_STREAM),
);
test("8.2 a request that is malformed", onStream, 1, headers(1, requestBlock("/", ["A", "b"])));

test("8.2 a malformed request is not begun", async (t) => {
  const { server } = await serve(t);
  const peer = await RawPeer.open(t, server.port);
  peer.send(headers(1, requestBlock("/bad", ["connection", "close"]), END_STREAM));
  t.is(await peer.reset(1), CODE.protocol);
  t.false(server.requests.some(({ path }) => path === "/bad"));
});
