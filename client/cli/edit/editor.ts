// The person's editor, run on a file.
//
// It has the terminal to itself: while it runs, an interrupt is for it and not for kvctl, as with
// every program that starts an editor.

import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { EXIT } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";

const FALLBACKS = ["vi", "nano"];

/** What a shell ends with when there is no such command, or it cannot be run. */
const NOT_RUN = [126, 127];

/** A command line, as the shell takes it: "code --wait". @throws UsageError without any. */
export async function editorFrom(environment: NodeJS.ProcessEnv): Promise<string> {
  const { VISUAL: visual, EDITOR: editor, PATH: path = "" } = environment;
  for (const command of [visual, editor]) {
    if (command !== undefined && command.trim() !== "") return command;
  }
  if (process.stdin.isTTY !== true) {
    const text = "there is no terminal for an editor: set VISUAL or EDITOR to a command";
    throw new UsageError(`${text} that changes a file, such as EDITOR='sed -i s/a/b/'`);
  }
  for (const name of FALLBACKS) if (await isIn(path, name)) return name;
  throw new UsageError("there is no editor: set VISUAL or EDITOR to one, such as EDITOR=nano");
}

async function isIn(path: string, name: string): Promise<boolean> {
  for (const folder of path.split(delimiter)) {
    if (folder === "") continue;
    const found = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/** Returns when the editor has ended well. @throws Failure */
export async function runEditor(command: string, file: string): Promise<void> {
  const restore = leaveInterruptsAlone();
  try {
    const ended = await endOf(command, file);
    if (ended === 0) return;
    const missing = typeof ended === "number" && NOT_RUN.includes(ended);
    const said = missing ? "cannot be run" : `ended with ${ended}`;
    const exitCode = ended === "SIGINT" ? EXIT.interrupted : EXIT.negative;
    const text = `the editor "${command}" ${said}; nothing was written`;
    throw new Failure(missing ? EXIT.usage : exitCode, text);
  } finally {
    restore();
  }
}

/** By the shell, so that it may have flags of its own. */
function endOf(command: string, file: string): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const args = ["-c", `${command} "$@"`, command, file];
    // Standard output may be a file, for the answer; then the editor has the other way to a screen.
    const screen = process.stdout.isTTY === true ? "inherit" : process.stderr.fd;
    const child = spawn("sh", args, { stdio: ["inherit", screen, "inherit"] });
    child.on("error", (error) => {
      const text = `cannot run the editor "${command}": ${error.message}; nothing was written`;
      reject(new Failure(EXIT.usage, text, { cause: error }));
    });
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
}

function leaveInterruptsAlone(): () => void {
  const listeners = process.listeners("SIGINT");
  const ignore = () => {};
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", ignore);
  return () => {
    process.off("SIGINT", ignore);
    for (const listener of listeners) process.on("SIGINT", listener);
  };
}
