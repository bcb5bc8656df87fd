// A walk over what an engine retains, whole, and as texts that tests compare.

import type { Engine } from "../../server/kv/engine.js";
import type { VersionRow } from "../../server/kv/types.js";
import { text } from "./commands.js";

export async function versionsOf(engine: Engine, revision = 0): Promise<VersionRow[]> {
  const rows: VersionRow[] = [];
  const walk = await engine.versions({ revision });
  try {
    for (let some = await walk.next(); some !== undefined; some = await walk.next()) {
      rows.push(...some);
    }
  } finally {
    walk.close();
  }
  return rows;
}

/** "2.0 a=1", "3.0 a gone"; with "!" behind what nothing has replaced. */
export function shownVersion({ revision, place, key, entry, newest }: VersionRow): string {
  const state = entry === undefined ? " gone" : `=${text(entry.value)}`;
  return `${revision}.${place} ${text(key)}${state}${newest ? "!" : ""}`;
}
