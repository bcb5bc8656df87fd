// Runs a command for an event: `watch KEY -- CMD`. One at a time, in the order of the events.
//
// The event is in its environment; the value is its standard input, exactly.

import { isUtf8 } from "node:buffer";
import { spawn } from "node:child_process";
import type { WatchEvent } from "../index.js";
import { EXIT } from "./exit-codes.js";
import { Failure } from "./failure.js";
import { fileErrorText, isFileError } from "./values.js";

/** The system bounds a variable at 128 KiB; larger values are on standard input only. */
const VARIABLE_MAX_BYTES = 64 * 1024;

/** How it ended: 0, its exit code, or the name of the signal. @throws Failure if it cannot run. */
export function runForEvent(
  command: readonly string[],
  event: WatchEvent,
  signal: AbortSignal,
): Promise<number | string> {
  const [file, ...args] = command;
  if (file === undefined) throw new Error("no command");
  const value = event.type === "put" ? event.entry.bytes : new Uint8Array(0);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ["pipe", "inherit", "inherit"],
      env: { ...process.env, ...variables(event) },
    });
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    child.on("error", (error) => reject(commandFailure(file, error)));
    child.on("close", (code, name) => {
      signal.removeEventListener("abort", stop);
      resolve(code ?? name ?? "unknown");
    });
    // A command that does not read its input closes it; that is its right.
    child.stdin.on("error", () => {});
    child.stdin.end(value);
  });
}

function variables(event: WatchEvent): Record<string, string> {
  return {
    KVCTL_WATCH_TYPE: event.type,
    ...variable("KVCTL_WATCH_KEY", event.keyBytes),
    ...(event.type === "put" ? variable("KVCTL_WATCH_VALUE", event.entry.bytes) : {}),
    KVCTL_WATCH_REVISION: String(event.revision),
    KVCTL_WATCH_TIME: event.commitTime.toISOString(),
    KVCTL_WATCH_REASON: event.type === "delete" ? event.reason : "",
  };
}

/** As text; what a variable cannot hold is in NAME64, as base64, or too large and left out. */
export function variable(name: string, bytes: Uint8Array): Record<string, string> {
  if (bytes.length > VARIABLE_MAX_BYTES) return {};
  const buffer = Buffer.from(bytes);
  if (isUtf8(buffer) && !buffer.includes(0)) return { [name]: buffer.toString("utf8") };
  return { [`${name}64`]: buffer.toString("base64") };
}

/** What is said when a command cannot be started. */
export function commandFailure(file: string, error: Error): Error {
  if (!isFileError(error)) return error;
  const text = `cannot run ${file}: ${fileErrorText(error)}`;
  return new Failure(EXIT.usage, text, { cause: error });
}
