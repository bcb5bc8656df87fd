// Files that no entry point reaches: nobody runs them but tests.

import { targetOf } from "./layers.js";
import { type Finding, importsOf, type Source } from "./source.js";

/** Where the executables and the exports of the package begin. */
export const ENTRY_POINTS = [
  "server/main.ts",
  "server/server.ts",
  "client/cli/main.ts",
  "client/index.ts",
  "client/stubs.ts",
];

export function unreachedFindings(
  sources: readonly Source[],
  entryPoints: readonly string[],
): Finding[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const next = [...entryPoints];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    const source = byPath.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(source)) {
      if (specifier?.startsWith(".") === true) next.push(targetOf(path, specifier));
    }
  }
  const text = "no entry point imports it, not even by detours: use it or delete it";
  return sources
    .filter(({ path }) => !reached.has(path))
    .map(({ path }) => ({ path, line: 1, text }));
}
