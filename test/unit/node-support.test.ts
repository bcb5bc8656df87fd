// When a release of Node is no longer maintained.

import test from "ava";
import { endOfLife } from "../../server/node-support.js";

test("a release is maintained through its last day", (t) => {
  t.is(endOfLife("v20.20.2", Date.parse("2026-04-30T23:59:59Z")), undefined);
  t.is(endOfLife("v20.20.2", Date.parse("2026-05-01T00:00:00Z")), "2026-04-30");
  t.is(endOfLife("v22.23.2", Date.parse("2026-11-21")), undefined);
});

test("a release that is not known is taken as maintained", (t) => {
  t.is(endOfLife("v99.0.0", Date.parse("2026-11-21")), undefined);
});
