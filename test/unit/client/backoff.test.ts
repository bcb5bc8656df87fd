// How long is waited before the next try, and what ends the waiting.

import test from "ava";
import { Backoff, pause } from "../../../client/backoff.js";

test("the first try is at once, later ones wait longer and longer, up to 5 s", (t) => {
  const backoff = new Backoff();
  t.is(backoff.nextMs(), 0);
  for (const longest of [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    const ms = backoff.nextMs();
    t.true(ms >= longest / 2 && ms <= longest, `${ms} of ${longest}`);
  }
  backoff.reset();
  t.is(backoff.nextMs(), 0);
});

test("a pause ends with its time, and with any of its signals", async (t) => {
  await pause(1, [undefined]);
  await pause(1_000_000, [undefined, AbortSignal.abort()]);
  const controller = new AbortController();
  const waiting = pause(1_000_000, [new AbortController().signal, controller.signal]);
  controller.abort();
  await waiting;
  t.pass();
});
