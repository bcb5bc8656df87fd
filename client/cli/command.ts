// What a command is: how it looks in help, and what it runs with. One per file in commands/.

import type { Kvd } from "../index.js";
import type { Action } from "./actions.js";
import type { ExitCode } from "./exit-codes.js";
import type { Flags } from "./flags.js";
import type { OptionDefinition } from "./option.js";
import type { Output, Streams } from "./output.js";
import type { Process } from "./process.js";
import type { Settings } from "./settings.js";
import type { Environment } from "./user-folders.js";

export interface Example {
  readonly run: string;
  readonly says: string;
}

export interface CommandDefinition {
  /** What follows the verb: "KEY VALUE". */
  readonly usage: string;
  /** A few lines for help, after the summary of the catalog. */
  readonly details: string;
  readonly options: readonly OptionDefinition[];
  /** Of a verb whose first word names one of several; their options are among those above. */
  readonly actions?: readonly Action[];
  readonly examples: readonly Example[];
  /** Of what it keeps for the user (contexts): their names, for completion. */
  names?(environment: Streams["environment"]): Promise<readonly string[]>;
  run(invocation: Invocation): Promise<ExitCode>;
}

/** One command line, taken apart. */
export interface Invocation {
  readonly verb: string;
  /** What is no flag, in order; what stands after `--` too. */
  readonly words: readonly string[];
  /** What stands after the first `--`, taken as it is; undefined without one. */
  readonly tail: readonly string[] | undefined;
  readonly flags: Flags;
  readonly settings: Settings;
  readonly output: Output;
  readonly environment: Environment;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** For what runs command lines itself, as a shell does. */
  readonly process: Process;
  /** From here on, a signal leaves the command so long to end by itself, instead of a second. */
  patience(ms: number): void;
  /**
   * The connection, opened at the first call. The transport is loaded only then, and the daemon
   * started where that is right: see CatalogEntry.
   */
  connect(): Promise<Kvd>;
}
