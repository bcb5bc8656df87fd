// The system clock's timers: long waits do not fire early, cancelled ones do not fire. What would
// fire at once would fire before the timeout that follows it here.

import test from "ava";
import { systemClock } from "../../../server/lib/clock.js";

const timeoutAfterIt = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a timer of more than 2^31 ms does not fire at once", async (t) => {
  let fired = false;
  const timer = systemClock.setTimer(2 ** 31 + 1000, () => {
    fired = true;
  });
  await timeoutAfterIt();
  timer.cancel();
  t.false(fired);
});

test("a cancelled timer does not fire", async (t) => {
  let fired = false;
  const timer = systemClock.setTimer(1, () => {
    fired = true;
  });
  timer.cancel();
  await timeoutAfterIt();
  t.false(fired);
});
