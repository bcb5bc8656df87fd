// Writing at the pace of a peer: bounds, turns, and the end of those who do not take anything.

import test from "ava";
import type { Failure, WritingCall } from "../../../server/grpc/service.js";
import { StreamWriter } from "../../../server/grpc/stream.js";
import { systemClock } from "../../../server/lib/clock.js";
import { ManualClock } from "../../support/manual-clock.js";

const STATUS: Failure = { code: 8, details: "" };
const GOOD: Failure = { code: 0, details: "" };

/** A call whose peer takes a message when it is told to. */
class SlowCall implements WritingCall<string> {
  cancelled = false;
  readonly written: string[] = [];
  readonly ends: Failure[] = [];
  resets = 0;
  readonly #untaken: Array<() => void> = [];
  #onCancelled: () => void = () => {};

  once(_event: "cancelled", listener: () => void): void {
    this.#onCancelled = listener;
  }

  write(message: string, taken: () => void): boolean {
    this.written.push(message);
    this.#untaken.push(taken);
    return true;
  }

  finish(): void {
    this.ends.push(GOOD);
  }

  fail(failure: Failure): void {
    this.ends.push(failure);
  }

  reset(): void {
    this.resets += 1;
  }

  take(count: number): void {
    for (const taken of this.#untaken.splice(0, count)) taken();
  }

  cancel(): void {
    this.cancelled = true;
    this.#onCancelled();
  }
}

function open({ unsentMaxBytes = 100, idleMaxMs = 1000 } = {}) {
  const call = new SlowCall();
  const clock = new ManualClock();
  const writer = new StreamWriter(call, { unsentMaxBytes, idleMaxMs, clock });
  return { call, clock, writer };
}

/** Whether the promise settles without anything else happening. */
async function settles(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  promise.then(() => {
    settled = true;
  });
  await systemClock.yieldTurn();
  return settled;
}

test("a producer goes on while less than the bound is unsent", async (t) => {
  const { writer } = open();
  const gate = writer.gate();
  t.true(await settles(gate.pass()));
  writer.write("a", 99);
  t.true(await settles(gate.pass()));
  writer.write("b", 1);
  t.false(await settles(gate.pass()));
});

test("a producer goes on once the peer has taken enough", async (t) => {
  const { call, writer } = open();
  const gate = writer.gate();
  writer.write("a", 100);
  writer.write("b", 100);
  const passed = gate.pass();
  call.take(1);
  t.false(await settles(passed));
  call.take(1);
  t.true(await settles(passed));
});

test("many small messages hold a producer up as few large ones do", async (t) => {
  const { writer } = open({ unsentMaxBytes: 1_000_000 });
  for (let count = 0; count < 64; count += 1) writer.write("a", 1);
  t.false(await settles(writer.gate().pass()));
});

test("producers go on in the order in which they came to wait", async (t) => {
  const { call, writer } = open();
  writer.write("full", 100);
  const order: string[] = [];
  const produce = async (name: string) => {
    await writer.gate().pass();
    order.push(name);
    writer.write(name, 100);
  };
  const all = Promise.all(["first", "second", "third"].map(produce));
  call.take(1);
  while (order.length < 3) {
    await systemClock.yieldTurn();
    call.take(10);
  }
  await all;
  t.deepEqual(order, ["first", "second", "third"]);
});

test("a turn of the event loop lets a bounded number of producers go on", async (t) => {
  const { call, writer } = open();
  writer.write("full", 100);
  let passed = 0;
  for (let count = 0; count < 1000; count += 1) {
    writer
      .gate()
      .pass()
      .then(() => {
        passed += 1;
        writer.write("message", 100);
      });
  }
  call.take(1);
  await systemClock.yieldTurn();
  t.true(passed > 0 && passed <= 32, String(passed));
  t.true(writer.full);
});

test("an opened gate does not wait, and leaves its place to others", async (t) => {
  const { call, writer } = open();
  writer.write("full", 100);
  const hasty = writer.gate();
  const patient = writer.gate();
  const passed = [hasty.pass(), patient.pass()] as const;
  hasty.open();
  t.true(await settles(passed[0]));
  t.true(await settles(hasty.pass()));
  t.false(await settles(passed[1]));
  call.take(1);
  t.true(await settles(passed[1]));
});

test("nobody waits for a peer that is gone, and nothing is written to it", async (t) => {
  const { call, writer } = open();
  writer.write("full", 100);
  const gate = writer.gate();
  const passed = gate.pass();
  call.cancel();
  t.true(await settles(passed));
  t.true(await settles(gate.pass()));
  writer.write("more", 1);
  t.deepEqual(call.written, ["full"]);
  t.true(writer.over);
});

test("a call that was over before is over", (t) => {
  const call = new SlowCall();
  call.cancelled = true;
  const clock = new ManualClock();
  t.true(new StreamWriter(call, { unsentMaxBytes: 1, idleMaxMs: 1, clock }).over);
});

test("the time in which the peer takes nothing is counted from the last that it took", (t) => {
  const { call, clock, writer } = open();
  clock.advance(10);
  t.is(writer.stalledMs, 0);
  writer.write("a", 1);
  writer.write("b", 1);
  clock.advance(5);
  t.is(writer.stalledMs, 5);
  call.take(1);
  clock.advance(2);
  t.is(writer.stalledMs, 2);
  call.take(1);
  t.is(writer.stalledMs, 0);
});

test("a stream ends once, with the first status", (t) => {
  const { call, writer } = open();
  writer.end(STATUS);
  writer.end({ ...STATUS, code: 9 });
  writer.abandon(STATUS);
  writer.write("late", 1);
  t.deepEqual(call.ends, [STATUS]);
  t.deepEqual(call.written, []);
});

test("a status that the peer does not take in time is followed by a reset", (t) => {
  const { call, clock, writer } = open();
  writer.write("a", 1);
  writer.end(STATUS);
  clock.advance(999);
  t.is(call.resets, 0);
  clock.advance(1);
  t.is(call.resets, 1);
});

test("a status that was taken is not followed by a reset", (t) => {
  const { call, clock, writer } = open();
  writer.end(STATUS);
  call.cancel();
  clock.advance(100_000);
  t.is(call.resets, 0);
});

test("the status of an abandoned peer follows what was written too, for a short time", (t) => {
  const { call, clock, writer } = open({ idleMaxMs: 300_000 });
  writer.write("a", 1);
  writer.abandon(STATUS);
  t.deepEqual(call.ends, [STATUS]);
  clock.advance(10_000);
  t.is(call.resets, 1);
});

test("so is a good end", (t) => {
  const { call, clock, writer } = open();
  writer.write("a", 1);
  writer.finish();
  writer.finish();
  writer.end(STATUS);
  t.deepEqual(call.ends, [GOOD]);
  t.true(writer.over);
  clock.advance(1000);
  t.is(call.resets, 1);
});
