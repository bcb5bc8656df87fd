// A folder for PATH in which kvctl is the one that users run, for commands of documents.

import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BUNDLED_KVCTL, NODE, type Scope, temporaryFolder } from "./process.js";

export async function folderOfKvctl(scope: Scope): Promise<string> {
  const folder = await temporaryFolder(scope);
  const file = join(folder, "kvctl");
  await writeFile(file, `#!/bin/sh\nexec "${NODE}" "${BUNDLED_KVCTL}" "$@"\n`);
  await chmod(file, 0o755);
  return folder;
}
