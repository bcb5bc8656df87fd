// Writes docs/reference: the client's from its compiled declarations, the contract's from its
// descriptors, those of kvctl and kvd from what they tell of themselves. All take their words from
// the sources, so nothing is said twice.
//
//   npm run docs

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readKvctl, readKvd } from "../commands/description.js";
import { kvctlReference, kvdReference } from "../commands/markdown.js";
import { clientReference } from "./client-reference.js";
import { protoReference } from "./proto-reference.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = join(ROOT, "docs/reference");

const declarations = (path: string) => readFileSync(join(ROOT, "dist", path), "utf8");

mkdirSync(FOLDER, { recursive: true });
writeFileSync(join(FOLDER, "client.md"), clientReference(declarations));
const descriptors = readFileSync(join(ROOT, "gen/descriptors.binpb"));
writeFileSync(join(FOLDER, "proto.md"), protoReference(descriptors));
writeFileSync(join(FOLDER, "kvctl.md"), kvctlReference(readKvctl(ROOT)));
writeFileSync(join(FOLDER, "kvd.md"), kvdReference(readKvd(ROOT)));
