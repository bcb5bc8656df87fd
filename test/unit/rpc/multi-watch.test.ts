// What MultiWatch does between two steps of its watches, which the wire shows only by chance.

import { EventEmitter } from "node:events";
import test from "ava";
import type { MultiWatchRequest, MultiWatchResponse } from "../../../gen/grpc/kvd/v1/watch.js";
import type { Watcher } from "../../../server/kv/engine.js";
import type { WatchMessage } from "../../../server/kv/types.js";
import { systemClock } from "../../../server/lib/clock.js";
import { MultiWatch, type MultiWatchCall } from "../../../server/rpc/multi-watch.js";
import { WatchFrames } from "../../../server/rpc/watch-frames.js";
import { watchRequest } from "../../support/kvd-server.js";

/** Gives what the test tells it to give. */
class ToldWatcher implements Watcher {
  readonly synced = false;
  readonly ended = new Promise<void>(() => {});
  closed = false;
  give: (message: WatchMessage | undefined) => void = () => {};

  next(): Promise<WatchMessage | undefined> {
    if (this.closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.give = resolve;
    });
  }

  requestProgress(): void {}

  close(): void {
    this.closed = true;
    this.give(undefined);
  }
}

/** A call whose peer takes nothing until it is told to. */
class ToldCall extends EventEmitter {
  readonly cancelled = false;
  readonly written: MultiWatchResponse[] = [];
  readonly #untaken: Array<() => void> = [];
  paused = false;

  write(message: MultiWatchResponse, taken: () => void): boolean {
    this.written.push(message);
    this.#untaken.push(taken);
    return true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  take(): void {
    for (const taken of this.#untaken.splice(0)) taken();
  }

  command(command: MultiWatchRequest["command"]): void {
    this.emit("data", { ok: true, message: { command } });
  }
}

function open() {
  const call = new ToldCall();
  const watchers: ToldWatcher[] = [];
  new MultiWatch(call as unknown as MultiWatchCall, {
    unsentMaxBytes: 100,
    idleMaxMs: 1000,
    clock: systemClock,
    frames: new WatchFrames(),
    statusOf: (error) => {
      throw error;
    },
    open: () => {
      const watcher = new ToldWatcher();
      watchers.push(watcher);
      return watcher;
    },
  });
  const create = (id: bigint) =>
    call.command({ $case: "create", value: { id, watch: watchRequest() } });
  const cancel = (id: bigint) => call.command({ $case: "cancel", value: { id } });
  return { call, watchers, create, cancel };
}

test("a message in hand is not given after its watch was canceled", async (t) => {
  const { call, watchers, create, cancel } = open();
  create(1n);
  await systemClock.yieldTurn();
  watchers[0]?.give({ kind: "progress", revision: 1 });
  cancel(1n);
  await systemClock.yieldTurn();
  t.deepEqual(
    call.written.map(({ step }) => step?.$case),
    ["ended"],
  );
  t.true(watchers[0]?.closed);
});

test("a message in hand is not given to a new watch of the same id", async (t) => {
  const { call, watchers, create, cancel } = open();
  create(1n);
  await systemClock.yieldTurn();
  watchers[0]?.give({ kind: "progress", revision: 7 });
  cancel(1n);
  create(1n);
  call.take();
  await systemClock.yieldTurn();
  t.is(call.written.length, 1);
  watchers[1]?.give({ kind: "progress", revision: 8 });
  await systemClock.yieldTurn();
  t.like(call.written[1], { id: 1n, step: { value: { revision: 8n } } });
});

test("commands are not read while the peer does not take what is written", async (t) => {
  const { call, watchers, create } = open();
  create(1n);
  await systemClock.yieldTurn();
  watchers[0]?.give({ kind: "progress", revision: 1 });
  await systemClock.yieldTurn();
  t.false(call.paused);
  for (let id = 2n; id < 10n; id += 1n) create(1n + id);
  for (const watcher of watchers) watcher.give({ kind: "progress", revision: 1 });
  await systemClock.yieldTurn();
  create(20n);
  t.true(call.paused);
  call.take();
  await systemClock.yieldTurn();
  t.false(call.paused);
});

test("after progress of all watches was asked for, commands wait for the next turn", async (t) => {
  const { call, create } = open();
  create(1n);
  t.false(call.paused);
  call.command({ $case: "progress", value: { id: 1n } });
  t.false(call.paused, "that was one watch");
  call.command({ $case: "progress", value: { id: 0n } });
  t.true(call.paused);
  await systemClock.yieldTurn();
  t.false(call.paused);
});
