// Writes docs/reference: the client's from its compiled declarations, the contract's from its
// descriptors. Both take their words from the comments in the sources, so nothing is said twice.
//
//   npm run docs

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { clientReference } from "./client-reference.js";
import { protoReference } from "./proto-reference.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = join(ROOT, "docs/reference");

const declarations = (path: string) => readFileSync(join(ROOT, "dist", path), "utf8");

mkdirSync(FOLDER, { recursive: true });
writeFileSync(join(FOLDER, "client.md"), clientReference(declarations));
const descriptors = readFileSync(join(ROOT, "gen/descriptors.binpb"));
writeFileSync(join(FOLDER, "proto.md"), protoReference(descriptors));
