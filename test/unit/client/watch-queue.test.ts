// What waits for the consumer of a watch: in order, and bounded, alone and together.

import test from "ava";
import { QUEUE_MAX_BYTES, QueueBudget, WatchQueue } from "../../../client/watch-queue.js";

test("items come in order, and none after clear()", (t) => {
  const queue = new WatchQueue<number>(new QueueBudget());
  for (const item of [1, 2, 3]) queue.push(item, 10);
  t.is(queue.shift(), 1);
  t.is(
    queue.find((item) => item > 2),
    3,
  );
  queue.clear();
  t.true(queue.empty);
  t.is(queue.shift(), undefined);
});

test("a queue is full at its bound, and has room again at half of it", (t) => {
  const queue = new WatchQueue<number>(new QueueBudget());
  const quarter = QUEUE_MAX_BYTES / 4;
  for (const item of [1, 2, 3]) queue.push(item, quarter);
  t.false(queue.full);
  queue.push(4, quarter);
  t.true(queue.full);
  queue.shift();
  t.false(queue.hasRoom);
  queue.shift();
  queue.shift();
  t.true(queue.hasRoom);
});

test("items without bytes of their own fill a queue too", (t) => {
  const queue = new WatchQueue<number>(new QueueBudget());
  for (let item = 0; item < QUEUE_MAX_BYTES / 64; item += 1) queue.push(item, 0);
  t.true(queue.full);
});

test("when all queues together are full, each holds one item until it is empty", (t) => {
  const budget = new QueueBudget();
  const large = new WatchQueue<number>(budget);
  large.push(0, 64 * 1024 * 1024);
  const small = new WatchQueue<number>(budget);
  t.false(small.full);
  small.push(1, 10);
  t.true(small.full);
  t.false(small.hasRoom);
  small.shift();
  t.true(small.hasRoom);
  large.clear();
  small.push(2, 10);
  t.false(small.full);
  small.clear();
  t.is(budget.bytes, 0);
});
