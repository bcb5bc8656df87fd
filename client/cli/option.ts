// A flag of a command, as help shows it and the argument parser takes it.

export interface OptionDefinition {
  /** "-o, --out <file>". */
  readonly flags: string;
  readonly description: string;
  /** All that its value may be; anything else is refused before the verb runs. */
  readonly choices?: readonly string[];
  /** What it is when it is not given. */
  readonly fallback?: string;
}

/** Of `kvctl help`, which is a verb of the parser's own. */
export const HELP_JSON: OptionDefinition = {
  flags: "--json",
  description: "all commands, flags and exit codes, for machines",
};

/** The name of a flag, without dashes, as the argument parser has it. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
