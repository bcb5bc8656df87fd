// Frames that are handed over together.

import type { ServerHttp2Stream } from "node:http2";
import test from "ava";
import { FrameBatch } from "../../../server/grpc/frame-batch.js";
import { systemClock } from "../../../server/lib/clock.js";

function open() {
  const written: string[] = [];
  const taken: number[] = [];
  const sink = {
    headersSent: true,
    writable: true,
    write(chunk: Uint8Array, done: () => void): boolean {
      written.push(Buffer.from(chunk).toString());
      done();
      return true;
    },
  };
  const stream = sink as unknown as ServerHttp2Stream;
  return { written, taken, sink, batch: new FrameBatch(stream, (bytes) => taken.push(bytes)) };
}

test("the frames of a turn leave in one piece, in order, and are told taken together", async (t) => {
  const { batch, written, taken } = open();
  batch.add(Buffer.from("a"), 10);
  batch.add(Buffer.from("b"), 20);
  t.deepEqual(written, []);
  await systemClock.yieldTurn();
  batch.add(Buffer.from("c"), 5);
  await systemClock.yieldTurn();
  t.deepEqual(written, ["ab", "c"]);
  t.deepEqual(taken, [30, 5]);
});

test("what is handed over early is not handed over again", async (t) => {
  const { batch, written } = open();
  batch.add(Buffer.from("a"), 1);
  batch.flush();
  t.deepEqual(written, ["a"]);
  await systemClock.yieldTurn();
  t.deepEqual(written, ["a"]);
});

test("it is open between the headers and the end", (t) => {
  const { batch, sink } = open();
  t.true(batch.isOpen);
  sink.headersSent = false;
  t.false(batch.isOpen);
  sink.headersSent = true;
  sink.writable = false;
  t.false(batch.isOpen);
});

test("nothing is written behind the end of a call, and nothing waits for it", async (t) => {
  const { batch, sink, written, taken } = open();
  batch.add(Buffer.from("a"), 7);
  sink.writable = false;
  await systemClock.yieldTurn();
  t.deepEqual(written, []);
  t.deepEqual(taken, [7]);
});
