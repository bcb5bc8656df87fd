// A flag of a command, as help shows it and the argument parser takes it.

export interface OptionDefinition {
  /** "-o, --out <file>". */
  readonly flags: string;
  /** What its value can be, where that is one of a few words. */
  readonly choices?: readonly string[];
  readonly description: string;
}
