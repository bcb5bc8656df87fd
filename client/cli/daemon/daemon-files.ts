// Where the daemon keeps what it has: one folder of the user's, for whatever port it listens on.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { type Environment, stateFolder } from "../user-folders.js";
import { fileErrorText, isFileError } from "../values.js";

export interface DaemonFiles {
  readonly folder: string;
  /** Of kvd; its lock decides who is the daemon. */
  readonly dataDir: string;
  readonly log: string;
  /** Written by kvd when it listens, removed when it stops; left behind when it is killed. */
  readonly portFile: string;
  /** Of the kvctl that starts the daemon: see StartTurn. */
  readonly startSocket: string;
}

export function daemonFiles(environment: Environment): DaemonFiles {
  const folder = join(stateFolder(environment), "kvd");
  return {
    folder,
    dataDir: join(folder, "data"),
    log: join(folder, "kvd.log"),
    portFile: join(folder, "port"),
    startSocket: join(folder, "start.sock"),
  };
}

/** For its owner alone. @throws Failure when it cannot be made. */
export function makeDaemonFolder({ folder }: DaemonFiles): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!isFileError(error)) throw error;
    const text = `cannot start kvd: it keeps its data in ${folder}: ${fileErrorText(error)}`;
    const hint = "XDG_STATE_HOME names another place, --server another server";
    throw new Failure(EXIT.unreachable, `${text}; ${hint}`, { cause: error });
  }
}
