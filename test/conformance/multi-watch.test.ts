// The suites about watches through the wire once more: each watch on a stream of MultiWatch.

import test from "ava";
import { openRemoteMultiWatch } from "../support/remote-engine.js";
import { WATCH_SUITES } from "./suites.js";

for (const suite of WATCH_SUITES) suite(test, openRemoteMultiWatch);
