// Durations: what callers may write, and what becomes of it. Whether the server takes it is another
// matter.

import test from "ava";
import { messageFromDuration, msFromDuration, msFromMessage } from "../../../client/duration.js";

const reads = test.macro({
  exec(t, duration: number | string, ms: number) {
    t.is(msFromDuration(duration, "ttl"), ms);
  },
  title: (_, duration, ms) => `the duration ${JSON.stringify(duration)} is ${ms} ms`,
});

test(reads, 0, 0);
test(reads, 1500, 1500);
test(reads, 0.5, 0.5);
test(reads, -1, -1);
test(reads, "0s", 0);
test(reads, "30s", 30_000);
test(reads, "100ms", 100);
test(reads, "1.5s", 1500);
test(reads, "1h30m", 5_400_000);
test(reads, "2d", 172_800_000);
test(reads, "1m1ms", 60_001);

const refuses = test.macro({
  exec(t, duration: unknown) {
    const error = t.throws(() => msFromDuration(duration as string, "ttl"), {
      instanceOf: TypeError,
    });
    t.regex(error?.message ?? "", /^ttl must be milliseconds/);
  },
  title: (_, duration) => `the duration ${String(duration)} (${typeof duration}) is refused`,
});

test(refuses, "");
test(refuses, "30");
test(refuses, "s");
test(refuses, "-5s");
test(refuses, "30 s");
test(refuses, "1w");
test(refuses, "1e3s");
test(refuses, ".5s");
test(refuses, "99999999999999999999d");
test(refuses, Number.NaN);
test(refuses, Number.POSITIVE_INFINITY);
test(refuses, 2 ** 60);
test(refuses, undefined);
test(refuses, null);
test(refuses, 5n);

test("a duration becomes seconds and nanoseconds of one sign", (t) => {
  t.deepEqual(messageFromDuration("1.5s", "ttl"), { seconds: 1n, nanos: 500_000_000 });
  t.deepEqual(messageFromDuration(0.5, "ttl"), { seconds: 0n, nanos: 500_000 });
  t.deepEqual(messageFromDuration(-1500, "ttl"), { seconds: -1n, nanos: -500_000_000 });
  t.deepEqual(messageFromDuration(0, "ttl"), { seconds: 0n, nanos: 0 });
});

test("a duration from the wire keeps its fraction of a millisecond", (t) => {
  t.is(msFromMessage({ seconds: 2n, nanos: 500_000 }), 2000.5);
  t.is(msFromMessage(undefined), 0);
});
