// All suites that every engine must pass.

import type { Suite } from "./suite.js";
import { kvSuite } from "./suites/kv.js";
import { leaseSuite } from "./suites/lease.js";
import { rangeSuite } from "./suites/range.js";
import { txnSuite } from "./suites/txn.js";
import { compactionSuite, watchSuite } from "./suites/watch.js";

export const SUITES: readonly Suite[] = [
  kvSuite,
  rangeSuite,
  txnSuite,
  leaseSuite,
  watchSuite,
  compactionSuite,
];
