// --print-config: every setting with its value and where that comes from, as a file that --config
// takes.

import { stringify } from "smol-toml";

/** Where a value comes from. */
export type Origin = "flag" | "environment" | "file" | "default";

export interface Setting {
  readonly name: string;
  readonly value: string | number | boolean | readonly string[] | undefined;
  readonly origin: Origin;
}

/** A setting without a value stands there as a comment. */
export function printedSettings(settings: readonly Setting[]): string {
  return settings.map((setting) => `${printedSetting(setting)}\n`).join("");
}

function printedSetting({ name, value, origin }: Setting): string {
  if (value === undefined) return `# ${name} is not set`;
  return `${stringify({ [name]: value }).trim()} # ${origin}`;
}
