// What doctor makes of what it sees: versions, limits, clocks, disks, variables.

import test from "ava";
import { freeFinding } from "../../../client/cli/doctor/disk-finding.js";
import { aheadMs } from "../../../client/cli/doctor/peer.js";
import {
  clockFinding,
  fillFindings,
  nodeFinding,
  versionFinding,
} from "../../../client/cli/doctor/server-findings.js";
import { isAlmost, variableFindings } from "../../../client/cli/doctor/setting-rows.js";
import type { Status } from "../../../client/index.js";

const status = (values: Partial<Status>): Status => ({
  ...{ version: "1.0.0", engine: "memory", storeId: "s", revision: 1, compactRevision: 0 },
  ...{ durableRevision: 1, keys: 0, leases: 0, watchers: 0, liveBytes: 0, historyBytes: 0 },
  ...{ diskBytes: 0, fsyncPolicy: "always", uptimeMs: 1, limits: [], problems: [] },
  ...{ capabilities: [], counters: {} },
  ...values,
});

test("a Node that is too old is a warning", (t) => {
  for (const old of ["18.20.0", "20.18.9"]) t.is(nodeFinding(old).state, "warning");
  for (const fine of ["20.19.0", "22.0.0", "24.1.0"]) t.is(nodeFinding(fine).state, "ok");
});

test("versions that differ are a warning with a fix", (t) => {
  t.is(versionFinding(status({ version: "1.0.0" }), "1.0.0").state, "ok");
  t.like(versionFinding(status({ version: "1.0.1" }), "1.0.0"), { state: "warning" });
  t.truthy(versionFinding(status({ version: "1.0.1" }), "1.0.0").fix);
});

test("a store near its limit is a warning, a full one a problem, history does not count", (t) => {
  const limits = [
    { name: "store_max_bytes", value: 1_000, unit: "bytes", flag: "--store-max-bytes" },
  ];
  const of = (liveBytes: number) =>
    fillFindings(status({ limits, liveBytes, historyBytes: 900 }))[0];
  t.is(of(500)?.state, "ok");
  t.is(of(800)?.state, "warning");
  t.is(of(950)?.state, "problem");
  t.regex(of(950)?.fix ?? "", /--store-max-bytes/);
  t.deepEqual(fillFindings(status({})), []);
});

test("a clock that tells whole seconds is only wrong when it cannot be right", (t) => {
  t.is(aheadMs(5_000, 5_000, 5_010), 0);
  t.is(aheadMs(5_000, 5_990, 6_010), 0);
  t.is(aheadMs(9_000, 5_000, 5_010), 3_990);
  t.is(aheadMs(5_000, 9_000, 9_010), -3_001);
  const state = (ms: number) => clockFinding({ speaks: "HTTP", clock: { aheadMs: ms } })?.state;
  t.is(state(0), "ok");
  t.is(state(-1_500), "ok");
  t.is(state(60_000), "warning");
  t.is(state(-60_000), "warning");
  t.is(clockFinding({ speaks: "HTTP", clock: undefined }), undefined);
});

test("little room on the disk is a warning, none a problem", (t) => {
  const MIB = 1024 ** 2;
  const of = (freeBytes: number, totalBytes: number) =>
    freeFinding({ freeBytes, totalBytes, dataDir: "/d" }).state;
  t.is(of(50_000 * MIB, 100_000 * MIB), "ok");
  t.is(of(2_000 * MIB, 100_000 * MIB), "warning");
  t.is(of(900 * MIB, 1_000 * MIB), "warning");
  t.is(of(50 * MIB, 100_000 * MIB), "problem");
});

test("a variable whose name has a mistake in it is told with what was meant", (t) => {
  const [finding] = variableFindings({ KVCTL_SEVRER: "a:1", KVCTL_SERVER: "b:1", PATH: "/" });
  t.regex(finding?.fix ?? "", /KVCTL_SERVER/);
  t.deepEqual(variableFindings({ KVCTL_PORT: "1", KVCTL_HISTORY_OF_SOMETHING: "" }), []);
});

test("names are almost the same when one letter is more, less, other or swapped", (t) => {
  for (const near of ["KVCTL_SERER", "KVCTL_SERVERS", "KVCTL_SERVEX", "KVCTL_SREVER"]) {
    t.true(isAlmost(near, "KVCTL_SERVER"), near);
  }
  for (const far of ["KVCTL_SRV", "KVCTL_QUIET", "KVCTL_"]) t.false(isAlmost(far, "KVCTL_SERVER"));
});
