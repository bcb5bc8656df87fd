// Which run of the operating system this is: what was written to files outlives the process, and
// only what was synced outlives the system.

import { readFileSync } from "node:fs";

/** Empty where the system has no name for it. */
export function systemBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
