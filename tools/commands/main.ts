// Writes the manual pages of kvctl and kvd, dist/man, of what the bundled executables tell.
//
//   npm run build

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readKvctl, readKvd } from "./description.js";
import { kvctlPage, kvdPage } from "./man-pages.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = join(ROOT, "dist/man");

mkdirSync(FOLDER, { recursive: true });
const kvctl = readKvctl(ROOT);
writeFileSync(join(FOLDER, "kvctl.1"), kvctlPage(kvctl));
writeFileSync(join(FOLDER, "kvd.1"), kvdPage(readKvd(ROOT), kvctl.version));
