// The process that a command line runs in, or what stands for one: a shell runs many in its own.

import type { Kvd } from "../index.js";
import type { Streams } from "./output.js";
import type { Settings } from "./settings.js";

export interface Process extends Streams {
  /** Without the interpreter and the script. */
  readonly argv: readonly string[];
  /** Aborted by SIGINT and SIGTERM; the reason is the exit code. */
  readonly signal: AbortSignal;
  /** See Invocation. */
  patience?(ms: number): void;
  /** Who is told of SIGINT first. When it is true that it took it, the process goes on. */
  readonly interrupts?: { taker: (() => boolean) | undefined };
  /** Connections that outlive their command, for several commands of one process. */
  readonly connections?: Connections;
}

export interface Connections {
  /** The one for these settings, made by `connect` if there is none. */
  get(settings: Settings, connect: () => Promise<Kvd>): Promise<Kvd>;
}
