// Large answers that a peer does not take: few are made for its connection, the rest of its calls
// wait, and go on when it reads.

import { type ClientHttp2Stream, connect } from "node:http2";
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

test("a connection that takes no large answer gets few made, and all once it reads", async (t) => {
  const { address, listings } = await serveCounted(t);
  const session = connect(`http://${address}`);
  t.teardown(() => session.destroy());
  const request = RangeRequest.encode(
    RangeRequest.create({ selector: { $case: "all", value: true } }),
  ).finish();
  const streams: ClientHttp2Stream[] = [];
  for (let count = 0; count < CALLS; count += 1) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/kvd.v1.KvService/Range",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(frame(request));
    streams.push(stream);
  }
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
