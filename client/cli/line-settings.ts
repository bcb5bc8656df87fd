// The settings that a command line runs with. A shell asks for those of its prompt, completion for
// the server whose keys it offers, so it loads nothing that only commands need.

import { chosenContext } from "./contexts/chosen-context.js";
import { readSettings, type Settings } from "./settings.js";

interface SettingsLine {
  readonly verb: string;
  /** By the camel-case names that the argument parser makes of the flags. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** @throws UsageError that names the flag, or the variable. */
export async function settingsOf(
  { verb, values }: SettingsLine,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Settings> {
  // What arranges contexts must work where the one in use is not there any more.
  const context = verb === "context" ? undefined : await chosenContext(values, environment);
  return readSettings(values, environment, context);
}
