// Moments as they are typed after --at.

import test from "ava";
import { UsageError } from "../../../client/cli/failure.js";
import { localTime, momentFromText } from "../../../client/cli/history/moment.js";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const moment = (text: string) => momentFromText("--at", text, NOW);

test("a duration is before now, in short and in words", (t) => {
  for (const text of ["10m ago", "10 minutes ago", "10 min ago", "10m", " 10m  AGO "]) {
    t.is(moment(text), NOW - 600_000, text);
  }
  t.is(moment("1h30m ago"), NOW - 5_400_000);
  t.is(moment("2 days 1 hour ago"), NOW - 49 * 3_600_000);
  t.is(moment("1.5s ago"), NOW - 1_500);
});

test("a date with a zone is the same everywhere, one without is of this machine", (t) => {
  t.is(moment("2026-03-01T11:00:00Z"), NOW - 3_600_000);
  t.is(moment("2026-03-01t11:00:00.250z"), NOW - 3_600_000 + 250);
  t.is(moment("2026-03-01T13:00:00+02:00"), NOW - 3_600_000);
  t.is(moment("2026-02-01 10:30"), new Date(2026, 1, 1, 10, 30).getTime());
  t.is(moment("2026-02-01"), new Date(2026, 1, 1).getTime());
});

test("a time alone is of today", (t) => {
  const now = new Date(2026, 5, 7, 12).getTime();
  t.is(momentFromText("--at", "09:15", now), new Date(2026, 5, 7, 9, 15).getTime());
});

test("what is printed is taken", (t) => {
  const date = new Date(2026, 1, 3, 4, 5, 6);
  t.is(moment(localTime(date)), date.getTime());
});

for (const text of ["", "ago", "soon", "2026", "2026-13-01", "10x ago", "tomorrow", "25:00"]) {
  test(`"${text}" is no moment`, (t) => {
    t.throws(() => moment(text), { instanceOf: UsageError });
  });
}

test("the future is refused", (t) => {
  t.throws(() => moment("2026-03-01T12:00:01Z"), { message: /in the future/ });
});
