// kvctl mv: moves a key, or all keys of a prefix, within the server.

import type { CommandDefinition } from "../command.js";
import { RELOCATION_OPTIONS, RELOCATION_USAGE, runRelocation } from "../relocation/command.js";

export const mvCommand: CommandDefinition = {
  usage: RELOCATION_USAGE,
  details: [
    "The key TO gets the value and the lease of the key FROM, which is deleted, in one revision. A key",
    "that is there already is not written over unless --force is given: that ends with 1, and so does",
    "a FROM that is absent. With --prefix, all keys that start with FROM get TO in its place; nothing",
    "is written when one of them is in the way. They go in steps of 256 keys, each atomic; what is",
    "written below FROM after it began stays there.",
  ].join(" "),
  options: RELOCATION_OPTIONS,
  examples: [
    { run: "kvctl mv draft/7 post/7", says: "rename a key" },
    { run: "kvctl mv --prefix staging/ live/ --force", says: "a whole tree, over what is there" },
  ],
  run: (invocation) => runRelocation(invocation, { moves: true }),
};
