// All suites that every engine must pass.

import type { TestFn } from "ava";
import type { OpenEngine } from "../support/engines.js";
import { batchSuite } from "./suites/batch.js";
import { compactionSuite } from "./suites/compaction.js";
import { compareTxnSuite } from "./suites/compare-txn.js";
import { deleteSuite } from "./suites/delete.js";
import { delimiterSuite } from "./suites/delimiter.js";
import { durableSuite } from "./suites/durable.js";
import { getPutSuite } from "./suites/get-put.js";
import { hashSuite } from "./suites/hash.js";
import { knownBugsSuite } from "./suites/known-bugs.js";
import { leaseSuite } from "./suites/lease.js";
import { leaseExpirySuite } from "./suites/lease-expiry.js";
import { lifecycleSuite } from "./suites/lifecycle.js";
import { rangeSuite } from "./suites/range.js";
import { rangePagesSuite } from "./suites/range-pages.js";
import { revisionsSuite } from "./suites/revisions.js";
import { storeLimitSuite } from "./suites/store-limit.js";
import { txnSuite } from "./suites/txn.js";
import { txnNestedSuite } from "./suites/txn-nested.js";
import { versionsSuite } from "./suites/versions.js";
import { watchSuite } from "./suites/watch.js";
import { watchCatchUpSuite } from "./suites/watch-catch-up.js";
import { watchEndSuite } from "./suites/watch-end.js";

export type Suite = (test: TestFn, open: OpenEngine) => void;

/** Those about watches, for deployments that serve watches in more than one way. */
export const WATCH_SUITES: readonly Suite[] = [
  watchSuite,
  watchCatchUpSuite,
  watchEndSuite,
  knownBugsSuite,
];

export const SUITES: readonly Suite[] = [
  getPutSuite,
  deleteSuite,
  rangeSuite,
  rangePagesSuite,
  delimiterSuite,
  compareTxnSuite,
  txnSuite,
  txnNestedSuite,
  batchSuite,
  leaseSuite,
  leaseExpirySuite,
  ...WATCH_SUITES,
  revisionsSuite,
  hashSuite,
  versionsSuite,
  compactionSuite,
  storeLimitSuite,
  durableSuite,
  lifecycleSuite,
];
