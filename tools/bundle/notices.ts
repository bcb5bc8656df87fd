// What the licenses of bundled packages ask for: their names, versions, and texts.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const TEXTS = /^(?:licen[cs]e|notice|copying)(?:$|[.-])/i;
const RULE = "-".repeat(78);

/** Of the packages that `files` are from; paths are relative to `root`, with slashes. */
export function noticesOf(root: string, files: readonly string[]): string {
  const folders = new Set(files.flatMap((file) => PACKAGE.exec(file)?.[0] ?? []));
  const notices = [...folders].sort().map((folder) => noticeOf(join(root, folder)));
  const first = "The executables of this package contain parts of the packages below.\n";
  return [first, ...new Set(notices)].join(`\n${RULE}\n`);
}

/** @throws Error when a package does not say what its license is. */
function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (typeof license !== "string") throw new Error(`${name} ${version} names no license`);
  const texts = readdirSync(folder)
    .filter((file) => TEXTS.test(file))
    .sort()
    .map((file) => `\n${readFileSync(join(folder, file), "utf8").trim()}\n`);
  return [`\n${name} ${version}, ${license}\n`, ...texts].join("");
}
