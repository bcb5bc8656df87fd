// Slices of what came due at once, and who has a turn between them.

import test from "ava";
import { Turns } from "../../../server/engines/turns.js";
import { ManualClock } from "../../support/manual-clock.js";

test("all run once, in the order of the calls, those that are added meanwhile last", async (t) => {
  const clock = new ManualClock();
  const turns = new Turns(clock);
  const ran: number[] = [];
  for (let number = 0; number < 200; number += 1) turns.add(() => ran.push(number));
  turns.add(() => turns.add(() => ran.push(200)));
  await clock.settle();
  t.deepEqual(
    ran,
    Array.from({ length: 201 }, (_, number) => number),
  );
});

test("others have a turn before the last of many", async (t) => {
  const clock = new ManualClock();
  const turns = new Turns(clock);
  let ran = 0;
  for (let count = 0; count < 1000; count += 1) turns.add(() => (ran += 1));
  t.is(ran, 0, "who adds goes on first");
  await clock.yieldTurn();
  t.true(ran > 0 && ran < 1000, String(ran));
});
