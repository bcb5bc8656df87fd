// The conformance suites on the memory engine itself.

import test from "ava";
import { openMemory } from "../support/engines.js";
import { SUITES } from "./suites.js";

for (const suite of SUITES) suite(test, openMemory);
