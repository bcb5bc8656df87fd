// What becomes of the lease of a key whose value a verb changes: it stays, unless a flag says
// another. (`put` writes a key anew: there it goes, unless a flag says that it stays.)

import type { PutOptions } from "../index.js";
import { defined } from "./defined.js";
import { atMostOne, type Flags } from "./flags.js";
import type { OptionDefinition } from "./option.js";

export const LEASE_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--ttl <duration>", description: "the key lives so long from now: 1s to 10 years" },
  { flags: "--lease <id>", description: "attach the key to this lease" },
];

/** @throws UsageError */
export function leaseOptionsFrom(flags: Flags): Pick<PutOptions, "ttl" | "leaseId" | "keepLease"> {
  atMostOne(flags, ["ttl", "lease"]);
  const options = defined({ ttl: flags.durationMs("ttl"), leaseId: flags.leaseId("lease") });
  return Object.keys(options).length === 0 ? { keepLease: true } : options;
}
