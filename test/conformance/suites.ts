// All suites that every engine must pass.

import type { TestFn } from "ava";
import type { OpenEngine } from "../support/engines.js";
import { deleteSuite } from "./suites/delete.js";
import { delimiterSuite } from "./suites/delimiter.js";
import { getPutSuite } from "./suites/get-put.js";
import { rangeSuite } from "./suites/range.js";
import { rangePagesSuite } from "./suites/range-pages.js";

export type Suite = (test: TestFn, open: OpenEngine) => void;

export const SUITES: readonly Suite[] = [
  getPutSuite,
  deleteSuite,
  rangeSuite,
  rangePagesSuite,
  delimiterSuite,
];
