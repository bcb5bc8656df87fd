// Streams of requests whose peer does not take the answers: nothing is begun whose answer would be
// held, and the end waits for it no longer than it may.

import { EventEmitter } from "node:events";
import test from "ava";
import type { Decoded } from "../../../server/grpc/codec.js";
import { RequestStream } from "../../../server/grpc/request-stream.js";
import type { DuplexCall, Failure } from "../../../server/grpc/service.js";
import { systemClock } from "../../../server/lib/clock.js";
import { ManualClock } from "../../support/manual-clock.js";

const IDLE_MAX_MS = 1_000;

/** A call whose peer takes nothing until it is told to. */
class StalledCall extends EventEmitter implements DuplexCall<unknown, string> {
  readonly cancelled = false;
  readonly written: string[] = [];
  readonly #untaken: (() => void)[] = [];
  isPaused = false;
  isFinished = false;
  isReset = false;

  write(message: string, taken: () => void): void {
    this.written.push(message);
    this.#untaken.push(taken);
  }

  fail(_failure: Failure): void {}

  finish(): void {
    this.isFinished = true;
  }

  reset(): void {
    this.isReset = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  take(): void {
    for (const taken of this.#untaken.splice(0)) taken();
  }

  request(message: string): void {
    this.emit("data", { ok: true, message });
  }
}

/** Each answer alone is as much as may be unsent. */
function open() {
  const call = new StalledCall();
  const clock = new ManualClock();
  const begun: string[] = [];
  new RequestStream<string, string>(call as unknown as DuplexCall<Decoded<string>, string>, {
    inFlightMax: 16,
    unsentMaxBytes: 100,
    idleMaxMs: IDLE_MAX_MS,
    clock,
    handle: (request) => {
      begun.push(request);
      return request;
    },
    weigh: () => 100,
    statusOf: (error) => {
      throw error;
    },
  });
  return { call, clock, begun };
}

test("no request is begun while its answer would be held", async (t) => {
  const { call, begun } = open();
  const requests = ["a", "b", "c", "d"];
  for (const request of requests) call.request(request);
  call.emit("end");
  t.deepEqual(begun, ["a"]);
  t.true(call.isPaused);
  while (!call.isFinished) {
    call.take();
    await systemClock.yieldTurn();
    t.true(begun.length - call.written.length <= 1);
  }
  t.deepEqual(call.written, requests);
  t.deepEqual(begun, requests);
});

test("a stream that has ended well, and whose peer takes nothing, is reset in the end", (t) => {
  const { call, clock } = open();
  call.request("a");
  call.emit("end");
  t.true(call.isFinished);
  clock.advance(IDLE_MAX_MS - 1);
  t.false(call.isReset);
  clock.advance(1);
  t.true(call.isReset);
});
