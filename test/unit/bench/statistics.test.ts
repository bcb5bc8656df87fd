// What the suite says of its measurements.

import test from "ava";
import { medianOf, ratiosOf, summaryOf } from "../../../bench/statistics.js";

test("a median is the middle one, of an even count the mean of both in the middle", (t) => {
  t.is(medianOf([9, 1, 5]), 5);
  t.is(medianOf([4, 1, 3, 100]), 3.5);
  t.is(medianOf([7]), 7);
  t.is(medianOf([]), Number.NaN);
});

test("a summary holds the median between the lowest and the highest", (t) => {
  t.deepEqual(summaryOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
});

test("ratios are taken round by round, and of the medians when rounds are missing", (t) => {
  t.deepEqual(ratiosOf([10, 20, 30], [10, 10, 10]), [1, 2, 3]);
  t.deepEqual(ratiosOf([10, 20, 30], [10, 10]), [2]);
  t.deepEqual(ratiosOf([], [10]), []);
});
