// Pins hold the lowest revision for their time, and not much longer.

import test from "ava";
import { Pins } from "../../../server/store/pins.js";

test("the lowest pinned revision holds for the time of its pin", (t) => {
  const pins = new Pins(60_000);
  pins.pin(7, 0);
  pins.pin(9, 30_000);
  t.is(pins.lowest(30_000), 7);
  t.is(pins.lowest(60_000), 7);
  t.is(pins.lowest(62_000), 9);
  t.is(pins.lowest(92_000), undefined);
});

test("a pin made anew holds from then", (t) => {
  const pins = new Pins(60_000);
  pins.pin(7, 0);
  pins.pin(7, 50_000);
  t.is(pins.lowest(109_000), 7);
  t.is(pins.lowest(112_000), undefined);
});

test("the end of the oldest pin is known, so that compaction can go on then", (t) => {
  const pins = new Pins(60_000);
  t.is(pins.nextEndMs, undefined);
  pins.pin(7, 500);
  const end = pins.nextEndMs as number;
  t.true(end > 60_000 && end <= 62_000);
  t.is(pins.lowest(end), undefined);
});
