// The disk of the system, as a data directory uses it.

import type { Files } from "../lib/files.js";
import { systemFiles } from "../lib/system-files.js";
import { lockFolder } from "./folder-lock.js";

export const systemDisk: Files = { ...systemFiles, lock: lockFolder };
