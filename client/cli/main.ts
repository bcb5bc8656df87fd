#!/usr/bin/env node
// kvctl: the process around a command line. Signals, standard streams, exit code.

import process from "node:process";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { run } from "./program.js";

/** How long a command may take to end after a signal: what waits for input cannot be told. */
let graceMs = 1_000;

// The transport would print metadata of calls.
for (const name of ["GRPC_TRACE", "GRPC_VERBOSITY"]) delete process.env[name];

const interruption = new AbortController();

function end(exitCode: ExitCode): void {
  if (interruption.signal.aborted) process.exit(exitCode);
  interruption.abort(exitCode);
  // Whatever waits for input ends too.
  process.stdin.destroy();
  setTimeout(() => process.exit(exitCode), graceMs).unref();
}

process.on("SIGINT", () => end(EXIT.interrupted));
process.on("SIGTERM", () => end(EXIT.terminated));

const exitCode = await run({
  argv: process.argv.slice(2),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  patience: (ms) => {
    graceMs = ms;
  },
});
process.exit(exitCode);
