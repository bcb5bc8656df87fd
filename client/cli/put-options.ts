// The flags of a put, on the command line and in a txn alike.

import type { CallOptions, PutOptions } from "../index.js";
import { defined } from "./defined.js";
import { atMostOne, type Flags } from "./flags.js";
import type { OptionDefinition } from "./option.js";

export const PUT_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--ttl <duration>", description: "the key lives so long: 1s to 10 years" },
  { flags: "--lease <id>", description: "attach the key to this lease" },
  { flags: "--keep-lease", description: "keep the lease that the key has" },
  {
    flags: "--expect-rev <revision>",
    description: "only if the key's revision is this; 0: absent",
  },
  { flags: "--if-absent", description: "only if the key is absent" },
  { flags: "--prev", description: "show the entry that was there before" },
];

/** @throws UsageError */
export function putOptionsFrom(flags: Flags): Omit<PutOptions, keyof CallOptions> {
  atMostOne(flags, ["ttl", "lease", "keep-lease"]);
  atMostOne(flags, ["expect-rev", "if-absent"]);
  return defined({
    ttl: flags.durationMs("ttl"),
    leaseId: flags.leaseId("lease"),
    keepLease: flags.on("keep-lease") ? true : undefined,
    expectedModRevision: flags.on("if-absent") ? 0 : flags.number("expect-rev"),
    returnPrevious: flags.on("prev") ? true : undefined,
  });
}
