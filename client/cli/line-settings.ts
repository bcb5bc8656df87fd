// The settings that a command line runs with. A shell asks for those of its prompt, completion for
// the server whose keys it offers, so it loads nothing that only commands need.

import { readSettings, type Settings } from "./settings.js";

interface SettingsLine {
  readonly verb: string;
  /** By the camel-case names that the argument parser makes of the flags. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** @throws UsageError that names the flag, or the variable. */
export async function settingsOf(
  { values }: SettingsLine,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Settings> {
  return readSettings(values, environment);
}

/** The name of a flag as the argument parser has it. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
