// All suites that every engine must pass.

import type { TestFn } from "ava";
import type { OpenEngine } from "../support/engines.js";
import { batchSuite } from "./suites/batch.js";
import { compactionSuite } from "./suites/compaction.js";
import { compareTxnSuite } from "./suites/compare-txn.js";
import { deleteSuite } from "./suites/delete.js";
import { delimiterSuite } from "./suites/delimiter.js";
import { getPutSuite } from "./suites/get-put.js";
import { hashSuite } from "./suites/hash.js";
import { leaseSuite } from "./suites/lease.js";
import { leaseExpirySuite } from "./suites/lease-expiry.js";
import { rangeSuite } from "./suites/range.js";
import { rangePagesSuite } from "./suites/range-pages.js";
import { revisionsSuite } from "./suites/revisions.js";
import { storeLimitSuite } from "./suites/store-limit.js";
import { txnSuite } from "./suites/txn.js";
import { txnNestedSuite } from "./suites/txn-nested.js";

export type Suite = (test: TestFn, open: OpenEngine) => void;

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
  revisionsSuite,
  hashSuite,
  compactionSuite,
  storeLimitSuite,
];
