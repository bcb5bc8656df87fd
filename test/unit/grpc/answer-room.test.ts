// Large answers that a peer does not take: few are made for its connection, the rest of its calls
// wait, and go on when it reads.

import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import test, { type ExecutionContext } from "ava";
import { RangeRequest } from "../../../gen/grpc/kvd/v1/kv.js";
import type { Engine } from "../../../server/kv/engine.js";
import { createServer } from "../../../server/server.js";
import { put } from "../../support/commands.js";
import { openMemoryFor } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { until } from "../../support/take.js";

const MIB = 1024 * 1024;
const CALLS = 60;
const HELD_MAX = 16;

/** A server whose listings are counted, each of about 3 MiB. */
async function serveCounted(t: ExecutionContext) {
  const engine = await openMemoryFor(t, { clock: new ManualClock() });
  for (const key of ["a", "b", "c"]) await engine.put(put(key, Buffer.alloc(MIB)));
  let listings = 0;
  const counting: Engine = new Proxy(engine, {
    get(target, name) {
      if (name === "range") listings += 1;
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const server = await createServer({ engine: counting, shutdownGraceMs: 0 });
  t.teardown(() => server.close());
  return { address: server.address, listings: () => listings };
}

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A call of everything. */
function list(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const request = RangeRequest.create({ selector: { $case: "all", value: true } });
  const stream = session.request({
    ":method": "POST",
    ":path": "/kvd.v1.KvService/Range",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.end(frame(RangeRequest.encode(request).finish()));
  return stream;
}

test("a connection that takes no large answer gets few made, and all once it reads", async (t) => {
  const { address, listings } = await serveCounted(t);
  const session = connect(`http://${address}`);
  t.teardown(() => session.destroy());
  const streams = Array.from({ length: CALLS }, () => list(session));
  await until("the first listings", () => listings() >= HELD_MAX);
  const other = connect(`http://${address}`);
  t.teardown(() => other.destroy());
  await new Promise((resolve) => other.ping(() => resolve(undefined)));
  await new Promise((resolve) => session.ping(() => resolve(undefined)));
  t.is(listings(), HELD_MAX);
  const sizes = await Promise.all(
    streams.map(async (stream) => {
      let bytes = 0;
      for await (const chunk of stream) bytes += (chunk as Buffer).length;
      return bytes;
    }),
  );
  t.is(listings(), CALLS);
  t.true(sizes.every((bytes) => bytes > 3 * MIB));
});

/** So many levels of calls are more than a stack holds. */
const LATE_CALLS = 12_000;
const AT_A_TIME = 200;

test("any number of calls may end while they wait, and leave nothing to do", async (t) => {
  const { address, listings } = await serveCounted(t);
  const session = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
  t.teardown(() => session.destroy());
  const stuck = Array.from({ length: HELD_MAX }, () => list(session));
  for (const stream of stuck) stream.on("error", () => {});
  await until("the first listings", () => listings() === HELD_MAX);
  let made = 0;
  const callOnAndOn = async () => {
    while (made < LATE_CALLS) {
      made += 1;
      const stream = list(session, { "grpc-timeout": "1m" }).resume();
      await once(stream, "close");
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, callOnAndOn));
  for (const stream of stuck) stream.close(constants.NGHTTP2_CANCEL);
  const other = list(session);
  await once(other, "response");
  t.is(listings(), HELD_MAX + 1);
});
