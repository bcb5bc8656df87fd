// What is canceled in the tick that began it is over on the server too.

import test, { type ExecutionContext } from "ava";
import type { Kvd } from "../../../client/index.js";
import { serve } from "./served.js";

/** What a connection may have open, and more; one after the other, as HTTP/2 wants it. */
const limits = { connectionMaxStreams: 20 };
const COUNT = 40;

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function watchersOf(kv: Kvd): Promise<number> {
  return (await kv.maintenance.status()).watchers;
}

async function noneIsLeft(t: ExecutionContext, kv: Kvd): Promise<void> {
  const watch = kv.watch({ all: true });
  await watch.ready();
  const deadline = performance.now() + 20_000;
  while ((await watchersOf(kv)) > 1 && performance.now() < deadline) {
    await turn();
  }
  t.is(await watchersOf(kv), 1);
  watch.close();
}

test("watches that are closed at once", async (t) => {
  const { kv } = await serve(t, { limits });
  await kv.ready();
  for (let count = 0; count < COUNT; count += 1) {
    kv.watch({ all: true }).close();
    await turn();
  }
  await noneIsLeft(t, kv);
});

test("watches that are aborted at once", async (t) => {
  const { kv } = await serve(t, { limits });
  await kv.ready();
  for (let count = 0; count < COUNT; count += 1) {
    const controller = new AbortController();
    kv.watch({ all: true }, { signal: controller.signal });
    controller.abort();
    await turn();
  }
  await noneIsLeft(t, kv);
});

test("renewals that are aborted at once", async (t) => {
  const { kv } = await serve(t, { limits });
  await kv.ready();
  for (let count = 0; count < COUNT; count += 1) {
    const controller = new AbortController();
    const renewal = kv.lease.keepAlive(7n, { signal: controller.signal });
    controller.abort();
    await t.throwsAsync(renewal);
    await turn();
  }
  await t.notThrowsAsync(kv.get("a"));
});

test("snapshots that are closed at once", async (t) => {
  const { kv } = await serve(t, { limits });
  await kv.ready();
  for (let count = 0; count < COUNT; count += 1) {
    kv.maintenance.snapshot().close();
    await turn();
  }
  await t.notThrowsAsync(kv.get("a"));
});
