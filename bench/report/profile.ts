// Where the time of a profiled server went: self times by function, of all its profiles together.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { tableOf } from "./table.js";

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

const SHOWN = 30;

/** The functions that took most, of the profiles in a folder. */
export function topOfProfiles(folder: string): string {
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"))) {
    const profile: CpuProfile = JSON.parse(readFileSync(join(folder, file), "utf8"));
    const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    profile.samples.forEach((id, at) => {
      const name = names.get(id) ?? "";
      if (name === "(idle)" || name === "(root)") return;
      const spent = profile.timeDeltas[at] ?? 0;
      totalUs += spent;
      selfUs.set(name, (selfUs.get(name) ?? 0) + spent);
    });
  }
  const sorted = [...selfUs].sort(([, one], [, other]) => other - one).slice(0, SHOWN);
  const rows = sorted.map(([name, us]) => [
    name,
    (us / 1000).toFixed(0),
    `${((us / totalUs) * 100).toFixed(1)} %`,
  ]);
  return tableOf([["function", "self, ms", "share"], ...rows], 1);
}

function nameOf(frame: CpuProfile["nodes"][number]["callFrame"]): string {
  const { functionName, url, lineNumber } = frame;
  const name = functionName === "" ? "(anonymous)" : functionName;
  return url === "" ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}
