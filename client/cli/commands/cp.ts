// kvctl cp: copies a key, or all keys of a prefix, within the server.

import type { CommandDefinition } from "../command.js";
import { RELOCATION_OPTIONS, RELOCATION_USAGE, runRelocation } from "../relocation/command.js";

export const cpCommand: CommandDefinition = {
  usage: RELOCATION_USAGE,
  details: [
    "The key TO gets the value and the lease of the key FROM: a ttl goes on as it is, for both of them.",
    "A key that is there already is not written over unless --force is given: that ends with 1, and so",
    "does a FROM that is absent. With --prefix, all keys that start with FROM are copied, with TO in its",
    "place, as they are in one revision; nothing is written when one of them is in the way. They go in",
    "steps of 256 keys, each atomic.",
  ].join(" "),
  options: RELOCATION_OPTIONS,
  examples: [
    { run: "kvctl cp config config.bak", says: "a key" },
    { run: "kvctl cp --prefix app/ backup/app/", says: "a whole tree" },
  ],
  run: (invocation) => runRelocation(invocation, { moves: false }),
};
