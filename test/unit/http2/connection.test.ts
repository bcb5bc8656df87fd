// A connection with a good peer, Node's own HTTP/2: many streams, large bodies, windows smaller
// than what is sent, settings that change in the middle, and ends of all kinds.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import test, { type ExecutionContext } from "ava";
import { ECHO, END, HEAD, Http2Server } from "../../support/http2/http2-server.js";

const MIB = 1024 * 1024;
const POST = { ":method": "POST", ":path": "/echo" };

type Settings = Parameters<ClientHttp2Session["settings"]>[0];

async function serve(t: ExecutionContext, { options = ECHO, settings = {} as Settings } = {}) {
  const server = await Http2Server.open(t, options);
  const session = connect(`http://127.0.0.1:${server.port}`, { settings });
  t.teardown(() => session.destroy());
  session.on("error", (error) => t.fail(String(error)));
  await once(session, "connect");
  const [connection] = server.connections;
  return { server, session, connection: connection as Exclude<typeof connection, undefined> };
}

async function bodyOf(call: ClientHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of call) parts.push(part);
  return Buffer.concat(parts);
}

async function echo(session: ClientHttp2Session, body: Buffer) {
  const call = session.request(POST);
  const trailers = once(call, "trailers");
  call.end(body);
  const answer = await bodyOf(call);
  const [fields] = await trailers;
  return { answer, end: fields["x-end"] };
}

function bytesOf(length: number, seed: number): Buffer {
  return Buffer.alloc(length, createHash("sha512").update(String(seed)).digest());
}

test("many streams at once are answered, each with its own", async (t) => {
  const { session, connection } = await serve(t);
  const bodies = Array.from({ length: 300 }, (_, number) => bytesOf(number * 10, number));
  const answers = await Promise.all(bodies.map((body) => echo(session, body)));
  for (const [number, { answer, end }] of answers.entries()) {
    t.true(answer.equals(bodies[number] as Buffer));
    t.is(end, "0");
  }
  t.is(connection.size, 0);
  t.is(connection.begun, 300);
});

test("large bodies go both ways at the same time", async (t) => {
  const { session } = await serve(t);
  const bodies = [3 * MIB, 2 * MIB + 1, MIB - 1].map(bytesOf);
  const answers = await Promise.all(bodies.map((body) => echo(session, body)));
  t.true(answers.every(({ answer }, index) => answer.equals(bodies[index] as Buffer)));
});

test("windows of a few bytes are kept to", async (t) => {
  const { session } = await serve(t, { settings: { initialWindowSize: 7 } });
  const body = bytesOf(3000, 1);
  t.true((await echo(session, body)).answer.equals(body));
});

test("settings may change while data is under way", async (t) => {
  const { session } = await serve(t);
  const bodies = Array.from({ length: 8 }, (_, number) => bytesOf(300_000, number));
  const answers = Promise.all(bodies.map((body) => echo(session, body)));
  const changes: Settings[] = [
    { initialWindowSize: 0 },
    { initialWindowSize: 100_000, maxFrameSize: 100_000 },
    { headerTableSize: 0 },
    { initialWindowSize: 1, maxFrameSize: 16_384, headerTableSize: 65_536 },
    { initialWindowSize: 1_000_000, enablePush: false },
  ];
  for (const change of changes) {
    session.settings(change);
    await once(session, "localSettings");
  }
  t.true((await answers).every(({ answer }, index) => answer.equals(bodies[index] as Buffer)));
});

test("trailers of a request end it", async (t) => {
  const { session } = await serve(t);
  const call = session.request(POST, { waitForTrailers: true });
  call.on("wantTrailers", () => call.sendTrailers({ "x-sum": "1" }));
  call.end("hello");
  t.is((await bodyOf(call)).toString(), "hello");
});

test("an answer may be its end alone", async (t) => {
  const { session } = await serve(t, {
    options: { onEnd: ({ stream }) => stream.end([...HEAD, ...END]) },
  });
  const call = session.request({ ":path": "/" });
  const [head] = await once(call, "response");
  t.is(head["x-end"], "0");
  t.is((await bodyOf(call)).length, 0);
  t.is(call.rstCode, 0);
});

test("an answer before the end of its request is whole", async (t) => {
  const { session, server } = await serve(t, {
    options: {
      onRequest: (request) => {
        request.stream.head(HEAD);
        request.write(Buffer.from("enough"));
        request.stream.end(END);
      },
    },
  });
  const call = session.request(POST);
  call.on("error", () => {});
  call.write("a part");
  t.is((await bodyOf(call)).toString(), "enough");
  t.is(call.rstCode, constants.NGHTTP2_NO_ERROR);
  t.true(server.requests[0]?.isClosed);
});

test("heads larger than a frame arrive, both ways", async (t) => {
  const large = "x".repeat(25_000);
  const larger = "y".repeat(50_000);
  const { session, server } = await serve(t, {
    options: {
      onEnd: ({ stream }) => {
        stream.head([...HEAD, { name: "x-large", value: larger }]);
        stream.end([...END, { name: "x-large", value: larger }]);
      },
    },
  });
  const call = session.request({ ":path": "/", "x-large": large });
  const trailers = once(call, "trailers");
  const [head] = await once(call, "response");
  call.resume();
  t.is(head["x-large"], larger);
  t.is((await trailers)[0]["x-large"], larger);
  const field = server.requests[0]?.head.fields.find(({ name }) => name === "x-large");
  t.is(field?.value, large);
});

test("a client that resets a stream is told nothing more of it, and its sink is closed", async (t) => {
  const { session, server } = await serve(t);
  const call = session.request(POST);
  call.write("hello");
  const request = await server.request("/echo");
  await server.until(() => request.bytes === 5);
  call.close(constants.NGHTTP2_CANCEL);
  await server.until(() => request.isClosed);
  t.is((await echo(session, Buffer.from("next"))).answer.toString(), "next");
});

test("a server that resets a stream says why", async (t) => {
  const { session } = await serve(t, { options: { onData: ({ stream }) => stream.reset(11) } });
  const call = session.request(POST);
  call.write("hello");
  await t.throwsAsync(once(call, "end"), { code: "ERR_HTTP2_STREAM_ERROR" });
  t.is(call.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
});

test("pings are answered in both directions", async (t) => {
  const { session, connection } = await serve(t);
  const payload = Buffer.from("12345678");
  const echoed = await new Promise((resolve) =>
    session.ping(payload, (_error, _ms, bytes) => resolve(bytes)),
  );
  t.deepEqual(echoed, payload);
  await new Promise<void>((resolve) => connection.ping(resolve));
});

test("a client that closes gets what it has asked for, and then the connection ends", async (t) => {
  const { session, server } = await serve(t);
  const body = bytesOf(200_000, 1);
  const answer = echo(session, body);
  session.close();
  t.true((await answer).answer.equals(body));
  await server.until(() => server.connections[0]?.socket.destroyed === true);
});

test("a client that vanishes leaves no stream behind", async (t) => {
  const { session, server, connection } = await serve(t);
  for (let count = 0; count < 5; count += 1) session.request(POST).on("error", () => {});
  await server.until(() => connection.size === 5);
  session.destroy();
  await server.until(() => server.requests.every(({ isClosed }) => isClosed));
  t.is(connection.size, 0);
});
