// The same suites through the wire: generated stubs, a server on a free port, the memory engine.
// What the wire cannot express is left out.

import test from "ava";
import { openRemote } from "../support/remote-engine.js";
import { SUITES } from "./suites.js";

for (const suite of SUITES) suite(test, openRemote);
