// A flag of a command, as help shows it and the argument parser takes it.

export interface OptionDefinition {
  /** "-o, --out <file>". */
  readonly flags: string;
  readonly description: string;
}
