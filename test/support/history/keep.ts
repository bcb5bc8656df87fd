// A history that was found wrong is kept in a file, because no seed brings it back: the same calls
// meet in another order each time.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { History, Journal } from "./history.js";
import { type Judgement, wrongs } from "./judge.js";

/** What is wrong, and where the history is. Nothing if all is well. */
export function wrongsKept(
  judgement: Judgement,
  { calls, watches, sightings }: History,
  journal: Journal,
): readonly string[] {
  const found = wrongs(judgement);
  if (found.length === 0) return [];
  const file = join(mkdtempSync(join(tmpdir(), "kvd-history-")), "history.json");
  writeFileSync(file, JSON.stringify({ history: { calls, watches, sightings }, journal }));
  return [...found, `the history is in ${file}`];
}
