// Pulling from a stream: order, the bound, the end, giving up. The stream is fed by hand.

import { Metadata, type StatusObject } from "@grpc/grpc-js";
import test from "ava";
import { PullStream, QUEUE_MAX_BYTES } from "../../../client/stream.js";
import { fakeStream } from "./fake-stream.js";

const OK: StatusObject = { code: 0, details: "", metadata: new Metadata() };
const GONE: StatusObject = { code: 14, details: "gone", metadata: new Metadata() };
const nothing = () => {};

test("messages come in order, whether they were waited for or waiting", async (t) => {
  const { stream, send } = fakeStream<number>();
  const pull = new PullStream(stream, nothing);
  const first = pull.next();
  for (const message of [1, 2, 3]) send(message);
  t.is(await first, 1);
  t.is(await pull.next(), 2);
  t.is(await pull.next(), 3);
});

for (const status of [OK, GONE]) {
  test(`after a status of ${status.code}, what waits comes first, then the end`, async (t) => {
    let over = 0;
    const { stream, send, end } = fakeStream<number>();
    const pull = new PullStream(stream, () => {
      over += 1;
    });
    for (const message of [1, 2, 3]) send(message, QUEUE_MAX_BYTES);
    end(status);
    t.is(over, 1);
    const seen = [await pull.next(), await pull.next(), await pull.next(), await pull.next()];
    t.deepEqual(seen, [1, 2, 3, undefined]);
    t.is(pull.status, status);
    t.is(await pull.next(), undefined);
  });
}

test("the end wakes whoever waits", async (t) => {
  const { stream, end } = fakeStream<number>();
  const pull = new PullStream(stream, nothing);
  const waiting = pull.next();
  end(GONE);
  t.is(await waiting, undefined);
});

test("a stream is paused at the bound, and resumed once half of it is pulled", async (t) => {
  const { stream, send } = fakeStream<number>();
  const pull = new PullStream(stream, nothing);
  const quarter = QUEUE_MAX_BYTES / 4;
  send(0, quarter);
  const waiting = await pull.next();
  t.is(waiting, 0);
  t.true(send(1, quarter) && send(2, quarter) && send(3, quarter));
  t.false(send(4, quarter));
  t.true(stream.isPaused());
  await pull.next();
  t.true(stream.isPaused());
  await pull.next();
  t.false(stream.isPaused());
});

test("giving up drops what was not pulled", async (t) => {
  const { stream, send } = fakeStream<number>();
  const pull = new PullStream(stream, nothing);
  for (const message of [1, 2]) send(message);
  t.is(await pull.next(), 1);
  pull.cancel();
  t.is(await pull.next(), undefined);
});

test("giving up wakes whoever waits, and cancels once", async (t) => {
  const { stream, send, end, canceled } = fakeStream<number>();
  const pull = new PullStream(stream, nothing);
  const waiting = pull.next();
  pull.cancel();
  pull.cancel();
  send(1);
  t.is(await waiting, undefined);
  t.is(await pull.next(), undefined);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(canceled(), 1);
  end(GONE);
  t.is(await pull.next(), undefined);
});
