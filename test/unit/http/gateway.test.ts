// Methods of gRPC called as JSON: the same handlers, the same limits, the same errors.

import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { statusesFrom } from "../../../server/grpc/failures.js";
import { unary } from "../../../server/grpc/handlers.js";
import type { ServedMethod } from "../../../server/http/json-message.js";
import { silentLogger } from "../../../server/lib/logger.js";
import { ask, connectRaw, post, postStream } from "../../support/http-peer.js";
import { ManualClock } from "../../support/manual-clock.js";
import { RecordingLogger } from "../../support/recording-logger.js";
import { serveSite } from "../../support/served-site.js";

const PUT = "/v3/KvService/Put";
const GET = "/v3/KvService/Get";
const TXN = "/v3/KvService/Txn";
const WATCH = "/v3/KvService/Watch";
const MULTI_WATCH = "/v3/KvService/MultiWatch";
const GRANT = "/v3/LeaseService/Grant";
const KEEP_ALIVE = "/v3/LeaseService/KeepAlive";
const MIB = 1024 * 1024;

test("an answer has the names of the proto, longs as texts, and no defaults", async (t) => {
  const { address } = await serveSite(t);
  const put = await post(address, PUT, { key: "a", value: "eA==" });
  t.is(put.status, 200);
  t.is(put.answer.revision, "2");
  const { kv } = (await post(address, GET, { key: "a" })).answer;
  t.is(kv.value, "eA==");
  t.is(kv.mod_revision, "2");
  t.false("lease_id" in kv);
});

test("what is answered in bytes, without a message, is JSON too", async (t) => {
  const { address } = await serveSite(t);
  const operations = [{ put: { key: "a", value: "eA==" } }, { get: { key: "a" } }];
  const { answer } = await post(address, "/v3/KvService/Batch", { operations });
  t.is(answer.results[0].put.revision, "2");
  t.is(answer.results[1].get.kv.value, "eA==");
});

test("older prefixes lead to the same", async (t) => {
  const { address } = await serveSite(t);
  for (const prefix of ["/v3beta", "/v3alpha"]) {
    t.is((await post(address, PUT.replace("/v3", prefix), { key: "a" })).status, 200);
  }
  t.is((await ask(address, { path: "/v4/KvService/Put" })).status, 404);
});

test("fields may have both names, numbers may be texts, and unknown fields pass", async (t) => {
  const { address, engine } = await serveSite(t);
  const fields = [{ return_previous: true }, { returnPrevious: true }, { other: { a: [{}] } }];
  for (const field of fields) {
    t.is((await post(address, PUT, { key: "a", ...field })).status, 200);
  }
  for (const revision of ["2", 2]) {
    const { answer } = await post(address, GET, { key: "a", revision, kv: null });
    t.is(answer.kv.version, "1", typeof revision);
  }
  t.is((await engine.status()).revision, 4);
});

test("a long number keeps all its digits", async (t) => {
  const { address } = await serveSite(t);
  const { answer } = await post(address, GRANT, '{"id": 9007199254740993, "ttl": "60s"}');
  t.is(answer.id, "9007199254740993");
});

test("a text that is no number in digits is none", async (t) => {
  const { address } = await serveSite(t);
  for (const revision of ["0x10", " 5 ", "", "0b1", "1_0", "5n", "1.0"]) {
    const { status, answer } = await post(address, GET, { key: "a", revision });
    t.is(status, 400, revision);
    t.regex(answer.message, /revision: ".*" is not a whole number/);
  }
});

test("messages in each other are parsed as deep as they may be, and refused below", async (t) => {
  const { address } = await serveSite(t);
  const nested = (levels: number) => {
    const begun = '{"success":[{"txn":'.repeat(levels);
    return post(address, TXN, `${begun}{}${"}]}".repeat(levels)}`);
  };
  t.regex((await nested(49)).answer.message, /nest/);
  t.regex((await nested(50)).answer.message, /recursion depth of 100/);
  t.regex((await nested(70)).answer.message, /deeper than 200/);
});

test("an empty body is an empty message", async (t) => {
  const { address } = await serveSite(t);
  const { status, answer } = await post(address, GET, "");
  t.is(status, 400);
  t.deepEqual(Object.keys(answer), ["error", "message", "code", "details"]);
  t.is(answer.code, 3);
  t.is(answer.error, answer.message);
});

const refused = test.macro(async (t, body: string | Buffer, text: RegExp) => {
  const { address, engine } = await serveSite(t);
  const { status, answer } = await post(address, PUT, body);
  t.is(status, 400);
  t.is(answer.code, 3);
  t.regex(answer.message, text);
  t.is((await engine.status()).revision, 1);
});

test("JSON that is none is refused", refused, '{"key":"a",}', /JSON/);
test("JSON of something else is refused", refused, '{"key":{}}', /PutRequest\.key/);
test("a value that is not base64 is refused", refused, '{"key":"a","value":"%"}', /base64/);
test("a second message is refused", refused, '{"key":"a"}{"key":"b"}', /more than one/);
test("half a message is refused", refused, '{"key":"a"', /ends within/);
test("bytes that are no text are refused", refused, Buffer.from([0x7b, 0xff, 0x7d]), /UTF-8/);

test("an error has the status of HTTP that stands for its code", async (t) => {
  const { address } = await serveSite(t);
  const future = await post(address, GET, { key: "a", revision: 99 });
  t.is(future.status, 400);
  t.is(future.answer.code, 11);
  const lease = await post(address, PUT, { key: "a", lease_id: 99 });
  t.is(lease.status, 404);
  t.is(lease.answer.code, 5);
});

test("a method that is not served says so", async (t) => {
  const { address } = await serveSite(t, { services: [] });
  const { status, answer } = await post(address, PUT);
  t.is(status, 501);
  t.is(answer.code, 12);
});

test("a method takes POST only", async (t) => {
  const { address } = await serveSite(t);
  const { status, headers } = await ask(address, { path: PUT });
  t.is(status, 405);
  t.is(headers["allow"], "POST");
});

test("a stream answers a line and a chunk each, as soon as there is one", async (t) => {
  const { address } = await serveSite(t);
  const peer = await connectRaw(t, address);
  const body = '{"prefix":"a"}';
  const type = "Content-Type: application/json\r\nHost: localhost\r\n";
  peer.socket.write(`POST ${WATCH} HTTP/1.1\r\n${type}Content-Length: 14\r\n\r\n${body}`);
  await peer.until(/created.*\n\r\n/);
  await post(address, PUT, { key: "a-key", value: "eA==" });
  const text = await peer.until(/a-key.*\n\r\n/);
  const chunks = [...text.matchAll(/^([0-9a-f]+)\r\n(.*)\n\r\n/gm)];
  t.true(chunks.length >= 2);
  for (const [, length = "", line = ""] of chunks) {
    t.is(Number.parseInt(length, 16), line.length + 1);
    t.deepEqual(Object.keys(JSON.parse(line)), ["result"]);
  }
});

test("a stream of requests takes them one after the other, in one body", async (t) => {
  const { address } = await serveSite(t);
  for (const id of [7, 8]) await post(address, GRANT, { id, ttl: "60s" });
  const { status, next } = await postStream(
    t,
    address,
    KEEP_ALIVE,
    '{"id":7} {"id":"8"}\n{"id":9}',
  );
  t.is(status, 200);
  t.is((await next()).result.id, "7");
  t.is((await next()).result.id, "8");
  t.is((await next()).result.id, "9");
  t.is(await next(), undefined);
});

test("a stream that is refused at once has the status of HTTP, one that fails later a line", async (t) => {
  const { address } = await serveSite(t);
  await post(address, GRANT, { id: 7, ttl: "60s" });
  const atOnce = await postStream(t, address, WATCH, {});
  t.is(atOnce.status, 400);
  const { error } = await atOnce.next();
  t.is(error.code, 3);
  t.is(error.grpc_code, 3);
  t.is(error.http_code, 400);
  const later = await postStream(t, address, KEEP_ALIVE, '{"id":7}{"id":"x"}');
  t.is(later.status, 200);
  t.is((await later.next()).result.id, "7");
  t.is((await later.next()).error.code, 3);
  t.is(await later.next(), undefined);
});

/** A watch, with what the engine says of it. */
async function openWatch(t: ExecutionContext, path: string, body: unknown) {
  const clock = new ManualClock();
  const site = await serveSite(t, { clock });
  const stream = await postStream(t, site.address, path, body);
  await stream.next();
  const watchers = async (count: number) => {
    while ((await site.engine.status()).watchers !== count) await clock.settle();
  };
  await watchers(1);
  return { ...site, ...stream, clock, watchers };
}

const WATCHES: ReadonlyArray<readonly [string, string, unknown]> = [
  ["of one watch", WATCH, { all: true }],
  ["of many watches", MULTI_WATCH, { create: { watch_id: 1, watch: { all: true } } }],
];

for (const [title, path, body] of WATCHES) {
  test(`a peer that goes away frees its stream ${title}`, async (t) => {
    const { hangUp, watchers } = await openWatch(t, path, body);
    hangUp();
    await watchers(0);
    t.pass();
  });

  test(`a stop ends a stream ${title} with a line that says so`, async (t) => {
    const { stopStreams, next } = await openWatch(t, path, body);
    stopStreams();
    let line = await next();
    while ("result" in line) line = await next();
    t.is(line.error.code, 14);
    t.is(await next(), undefined);
  });

  test(`what is held for a stream ${title} that is not read is bounded, and ends`, async (t) => {
    const { response, address, engine, clock, watchers, http } = await openWatch(t, path, body);
    response.socket.pause();
    const value = Buffer.alloc(MIB, "x").toString("base64");
    for (let count = 0; count < 20; count += 1) {
      await post(address, PUT, { key: `key${count}`, value });
    }
    for (let round = 0; round < 20; round += 1) await clock.settle();
    const { counters } = await engine.status();
    t.true((counters["queued_bytes"] ?? Number.NaN) <= 2 * MIB);
    t.true((counters["watchers_unsynced"] ?? 0) > 0, "it would catch up from history");
    clock.advance(300_000);
    await watchers(0);
    await clock.settle();
    clock.advance(10_000);
    while (http.size > 0) await clock.settle();
    t.pass();
  });
}

test("a stream that is read slowly gets all that happened", async (t) => {
  const { response, address, next } = await openWatch(t, WATCH, { all: true });
  response.socket.pause();
  const value = Buffer.alloc(MIB, "x").toString("base64");
  for (let count = 0; count < 8; count += 1) {
    await post(address, PUT, { key: `key${count}`, value });
  }
  response.socket.resume();
  const keys: string[] = [];
  while (keys.length < 8) {
    for (const event of (await next()).result.events?.events ?? []) keys.push(event.kv.key);
  }
  t.deepEqual(
    keys,
    [0, 1, 2, 3, 4, 5, 6, 7].map((count) => `key${count}`),
  );
});

test("a request that is too large is refused, and its connection ends", async (t) => {
  const { address, engine } = await serveSite(t, { limits: { requestMaxBytes: 1000 } });
  const large = await post(address, PUT, { key: "a", value: "x".repeat(1340) });
  t.is(large.status, 429);
  t.regex(large.answer.message, /1000/);
  const peer = await connectRaw(t, address);
  const head = `POST ${PUT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  peer.socket.write(`${head}Content-Length: 100000\r\n\r\n{"key":"${"x".repeat(3000)}`);
  const text = await peer.all;
  t.regex(text, /^HTTP\/1\.1 429 .*connection: close.*2000 bytes of JSON/is);
  t.is((await engine.status()).revision, 1);
});

async function beginRequest(t: ExecutionContext, path: string, begun: string) {
  const clock = new ManualClock();
  const site = await serveSite(t, { clock });
  const peer = await connectRaw(t, site.address);
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  peer.socket.write(`${head}Content-Length: 1000\r\n\r\n${begun}`);
  while (site.http.size === 0) await clock.settle();
  for (let round = 0; round < 20; round += 1) await clock.settle();
  return { ...site, ...peer, clock };
}

test("a request that does not arrive is ended", async (t) => {
  const { all, clock, engine } = await beginRequest(t, PUT, '{"key":"a"');
  clock.advance(60_000);
  t.regex(await all, /^HTTP\/1\.1 504 .*not there in full after 60000 ms/s);
  t.is((await engine.status()).revision, 1);
});

test("so is one of a stream that stops in the middle", async (t) => {
  const { until, clock } = await beginRequest(t, KEEP_ALIVE, '{"id":7}{"id"');
  await until(/"7".*\n/);
  clock.advance(60_000);
  t.regex(await until(/error.*\n/), /"code":4.*60000 ms/s);
});

test("a stream may rest between its requests", async (t) => {
  const { until, clock, socket } = await beginRequest(t, KEEP_ALIVE, '{"id":7}');
  await until(/"7".*\n/);
  clock.advance(600_000);
  socket.write('{"id":8}');
  t.regex(await until(/"8".*\n/), /"result"/);
});

test("a call of one answer whose peer hangs up harms nobody", async (t) => {
  const { address, engine } = await serveSite(t);
  const peer = await connectRaw(t, address);
  peer.socket.write(`POST ${PUT} HTTP/1.1\r\nHost: localhost\r\nContent-Le`);
  peer.socket.resetAndDestroy();
  await once(peer.socket, "close");
  t.is((await post(address, PUT, { key: "a" })).status, 200);
  t.is((await engine.status()).revision, 2);
});

test("an answer that is too large is refused, and the connection goes on", async (t) => {
  const { address } = await serveSite(t, { answerMaxBytes: 1000 });
  await post(address, PUT, { key: "a", value: "x".repeat(1000) });
  const { status, answer } = await post(address, GET, { key: "a" });
  t.is(status, 429);
  t.is(answer.code, 8);
  t.regex(answer.message, /^kvd: the answer has more than 1000 bytes of JSON: .*over gRPC$/);
  t.is((await post(address, GET, { key: "b" })).status, 200);
});

test("so is one of a stream, which ends with it", async (t) => {
  const { address, engine } = await serveSite(t, { answerMaxBytes: 1000 });
  const { next } = await postStream(t, address, WATCH, { all: true });
  t.truthy((await next()).result);
  await post(address, PUT, { key: "a", value: "x".repeat(1000) });
  let line = await next();
  while ("result" in line) line = await next();
  t.is(line.error.code, 8);
  t.is(await next(), undefined);
  while ((await engine.status()).watchers > 0);
});

test("an answer that cannot be written is an error of ours, and is logged", async (t) => {
  const path = "/kvd.v1.KvService/Get";
  const none = () => Buffer.alloc(0);
  const broken: ServedMethod = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: none,
    requestDeserialize: () => ({ ok: true, message: {} }),
    responseSerialize: none,
    responseDeserialize: () => ({}),
  };
  const statusOf = statusesFrom(() => t.fail() as never, silentLogger);
  const get = unary(statusOf, async () => ({ kv: { value: { length: 1 } } }));
  const logger = new RecordingLogger();
  const services = [{ definition: { get: broken }, handlers: { get } }];
  const { address } = await serveSite(t, { services, logger });
  const { status, answer } = await post(address, GET);
  t.is(status, 500);
  t.is(answer.code, 13);
  t.is(answer.message, "internal error");
  t.deepEqual(logger.texts("error"), ["an error of kvd's own"]);
});
