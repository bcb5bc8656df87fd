// Names of files, for a shell of ours: other shells know them themselves.

import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Candidate } from "./candidates.js";

const NAMES_MAX = 100;

/** Those that go on with `word`, of which `behind` is no part of a path. Folders are partial. */
export async function filesOf(
  word: string,
  { kind, behind }: { readonly kind: "files" | "folders"; readonly behind: string },
): Promise<readonly Candidate[]> {
  const path = word.slice(behind.length);
  const folder = path.endsWith("/") ? path : path.includes("/") ? `${dirname(path)}/` : "";
  const begin = path.slice(path.lastIndexOf("/") + 1);
  const found = await readdir(folder || ".", { withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => entry.name.startsWith(begin) && (begin !== "" || entry.name[0] !== "."))
    .filter((entry) => kind === "files" || entry.isDirectory())
    .map((entry) => {
      const partial = entry.isDirectory();
      const name = path.slice(0, path.length - begin.length) + entry.name;
      return { text: `${behind}${name}${partial ? "/" : ""}`, partial };
    })
    .sort((one, other) => (one.text < other.text ? -1 : 1))
    .slice(0, NAMES_MAX);
}
