// Where a user's files are: the folders of the XDG base directory specification.
//
// A variable that does not hold an absolute path means nothing, as the specification says.

import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** For what the user decides: $XDG_CONFIG_HOME, or ~/.config. */
function configFolder(environment: Environment): string {
  return folderOf(environment["XDG_CONFIG_HOME"], environment, ".config");
}

/** For what programs keep: $XDG_STATE_HOME, or ~/.local/state. */
export function stateFolder(environment: Environment): string {
  return folderOf(environment["XDG_STATE_HOME"], environment, ".local/state");
}

/** The file of contexts. */
export function contextPath(environment: Environment): string {
  return join(configFolder(environment), "kvctl", "contexts.toml");
}

function folderOf(variable: string | undefined, environment: Environment, below: string): string {
  if (variable !== undefined && isAbsolute(variable)) return variable;
  const { HOME: home } = environment;
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), below);
}
