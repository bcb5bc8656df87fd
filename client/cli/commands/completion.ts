// kvctl completion: a script that makes a shell complete kvctl's command lines.

import type { CommandDefinition, Invocation } from "../command.js";
import { INSTALL, SCRIPTS, SHELLS } from "../completion/scripts.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";

export const completionCommand: CommandDefinition = {
  usage: SHELLS.join(" | "),
  details: [
    "Prints a script to source. Tab then completes verbs, flags and their values, files, and keys from",
    "the server (that of --server, or of KVCTL_SERVER), folded at /: at most 100, within 300 ms (or",
    "KVCTL_COMPLETION_TIMEOUT, such as 1s, for a server far away), and silently none when no server",
    `answers; none is started for it. To install it for good:\n\n  ${SHELLS.map(
      (shell) => INSTALL[shell],
    ).join("\n  ")}`,
  ].join(" "),
  options: [],
  examples: [
    { run: "kvctl completion bash >> ~/.bashrc", says: "for every bash from now on" },
    { run: "kvctl completion zsh > _kvctl", says: "a file for a folder of $fpath" },
    { run: "kvctl completion fish | source", says: "for this shell, in fish" },
  ],
  run,
};

async function run({ words, output }: Invocation): Promise<ExitCode> {
  const [name, excess] = words;
  if (name === undefined) {
    throw new UsageError(`completion needs the name of a shell: ${SHELLS.join(", ")}`);
  }
  if (excess !== undefined) {
    throw new UsageError(`completion takes one shell; "${excess}" is too much`);
  }
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined) {
    throw new UsageError(`there is no completion for "${name}"; it is for ${SHELLS.join(", ")}`);
  }
  await output.write(SCRIPTS[shell]);
  return EXIT.ok;
}
