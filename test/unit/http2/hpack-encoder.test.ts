// Writing header blocks: what is written is read back, by the decoder of ours and by Node's HTTP/2,
// whatever the peer says of its table.

import { once } from "node:events";
import { connect } from "node:http2";
import test from "ava";
import fc from "fast-check";
import { HpackDecoder } from "../../../server/http2/hpack-decoder.js";
import { HpackEncoder } from "../../../server/http2/hpack-encoder.js";
import type { HeaderField } from "../../../server/http2/static-table.js";
import { Http2Server } from "../../support/http2/http2-server.js";

const STATUS: HeaderField = { name: ":status", value: "200" };
const TYPE: HeaderField = { name: "content-type", value: "application/grpc" };
const USUAL_HEAD: readonly HeaderField[] = [STATUS, TYPE];
const USUAL_END: readonly HeaderField[] = [
  { name: "grpc-status", value: "0" },
  { name: "grpc-message", value: "" },
];

function pair() {
  const encoder = new HpackEncoder([USUAL_HEAD, USUAL_END]);
  const decoder = new HpackDecoder({ tableMaxBytes: 4096, listMaxBytes: 1_000_000 });
  const through = (fields: readonly HeaderField[]) => {
    const block = encoder.encode(fields);
    const read = decoder.decode(block).fields.map(({ name, value }) => ({ name, value }));
    return { bytes: block.length, first: block[0], fields: read };
  };
  return { encoder, through };
}

test("a usual list is read back each time, and takes a byte a field from its second on", (t) => {
  const { through } = pair();
  for (let round = 0; round < 4; round += 1) {
    for (const fields of [USUAL_HEAD, USUAL_END]) {
      const read = through(fields);
      t.deepEqual(read.fields, [...fields]);
      if (round > 0) t.is(read.bytes, fields.length);
    }
  }
});

test("usual fields are known in other lists, too, and other fields move nothing", (t) => {
  const { through } = pair();
  const unusual = [STATUS, { name: "x-one", value: "1" }, TYPE, ...USUAL_END];
  for (const fields of [unusual, USUAL_END, unusual, USUAL_HEAD, unusual]) {
    t.deepEqual(through(fields).fields, [...fields]);
  }
});

test("a peer with a smaller table is told that nothing is kept, once", (t) => {
  const { encoder, through } = pair();
  t.deepEqual(through(USUAL_HEAD).fields, [...USUAL_HEAD]);
  encoder.resize(100);
  const next = through(USUAL_HEAD);
  t.is(next.first, 0x20, "the table is empty");
  t.deepEqual(next.fields, [...USUAL_HEAD]);
  for (const fields of [USUAL_HEAD, USUAL_END, USUAL_HEAD, USUAL_END]) {
    const read = through(fields);
    t.not(read.first, 0x20);
    t.deepEqual(read.fields, [...fields]);
  }
  encoder.resize(4096);
  encoder.resize(0);
  t.deepEqual(through(USUAL_END).fields, [...USUAL_END]);
});

test("a peer with a larger table is written to as before", (t) => {
  const { encoder, through } = pair();
  through(USUAL_HEAD);
  encoder.resize(65_536);
  t.is(through(USUAL_HEAD).bytes, USUAL_HEAD.length);
});

const text = fc.string({
  maxLength: 300,
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
});
const anyList = fc.oneof(
  fc.constantFrom(USUAL_HEAD, USUAL_END),
  fc.array(
    fc.oneof(
      fc.record({ name: text, value: text }),
      fc.constantFrom(STATUS, TYPE, ...USUAL_END, { name: ":status", value: "404" }),
    ),
    { maxLength: 6 },
  ),
);

test("any lists are read back, whatever is said of the table in between", (t) => {
  const sizes = fc.option(fc.constantFrom(0, 1, 4095, 4096, 100_000), { freq: 6 });
  const steps = fc.array(fc.tuple(sizes, anyList), { maxLength: 20 });
  const property = fc.property(steps, (list) => {
    const { encoder, through } = pair();
    return list.every(([size, fields]) => {
      if (size !== null) encoder.resize(size);
      const read = through(fields).fields.map(({ name, value }) => [name, value]);
      return JSON.stringify(read) === JSON.stringify(fields.map((f) => [f.name, f.value]));
    });
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test("Node's HTTP/2 reads the same heads and ends, with its table and without", async (t) => {
  const values = ["", "x", "y".repeat(127), "z".repeat(128), "w".repeat(300), "\u00e9\u00ff"];
  const unusual = values.map((value, index) => ({ name: `x-${index}`, value }));
  const server = await Http2Server.open(t, {
    onEnd: ({ stream }) => {
      stream.head([...USUAL_HEAD, ...unusual]);
      stream.data(Buffer.from("x"));
      stream.end([...USUAL_END, ...unusual]);
    },
  });
  const session = connect(`http://127.0.0.1:${server.port}`);
  t.teardown(() => session.destroy());
  for (const headerTableSize of [4096, 4096, 0, 0, 8192, 100]) {
    session.settings({ headerTableSize });
    await once(session, "localSettings");
    const call = session.request({ ":path": "/" });
    const trailers = once(call, "trailers");
    const [head] = await once(call, "response");
    call.resume();
    const [end] = await trailers;
    t.is(head[":status"], 200);
    t.is(head["content-type"], "application/grpc");
    t.is(end["grpc-status"], "0");
    for (const { name, value } of unusual) {
      t.is(head[name], value);
      t.is(end[name], value);
    }
  }
});
