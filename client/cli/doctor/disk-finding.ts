// How much room there is on the disk of the local server's data. Of other servers' disks nothing
// can be known from here.

import { statfs } from "node:fs/promises";
import type { DaemonFiles } from "../daemon/daemon-files.js";
import { roughBytesText } from "../units.js";
import { type Finding, ok, problem, warning } from "./finding.js";

const LITTLE_BYTES = 1024 ** 3;
const NOTHING_BYTES = 100 * 1024 ** 2;
const LITTLE_SHARE = 0.05;

/** Undefined when there is nothing to look at. */
export async function diskFinding({ dataDir }: DaemonFiles): Promise<Finding | undefined> {
  const system = await statfs(dataDir).catch(() => undefined);
  if (system === undefined) return undefined;
  const freeBytes = system.bavail * system.bsize;
  return freeFinding({ freeBytes, totalBytes: system.blocks * system.bsize, dataDir });
}

export function freeFinding({
  freeBytes,
  totalBytes,
  dataDir,
}: {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly dataDir: string;
}): Finding {
  const says = `${roughBytesText(freeBytes)} free of ${roughBytesText(totalBytes)} at ${dataDir}`;
  const fix = "free some: kvd refuses writes when there is no room";
  if (freeBytes < NOTHING_BYTES) return problem("disk", says, fix);
  const isLittle = freeBytes < LITTLE_BYTES || freeBytes < totalBytes * LITTLE_SHARE;
  return isLittle ? warning("disk", says, fix) : ok("disk", says);
}
