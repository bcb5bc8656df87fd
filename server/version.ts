// The version of this package, as package.json beside the build says it.

import { readFileSync } from "node:fs";

const PACKAGE = new URL("../../package.json", import.meta.url);

/** Such as 0.1.0. */
export const VERSION: string = versionOf(JSON.parse(readFileSync(PACKAGE, "utf8")));

function versionOf(content: unknown): string {
  const version = (content as { readonly version?: unknown } | null)?.version;
  return typeof version === "string" ? version : "unknown";
}
