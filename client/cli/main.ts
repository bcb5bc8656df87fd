#!/usr/bin/env node
// kvctl: the process around a command line. Signals, standard streams, exit code.

import process from "node:process";
import { EXIT, type ExitCode } from "./exit-codes.js";
import type { Process } from "./process.js";

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

const interrupts: Process["interrupts"] = { taker: undefined };
process.on("SIGINT", () => {
  if (interrupts.taker?.() !== true) end(EXIT.interrupted);
});
process.on("SIGTERM", () => end(EXIT.terminated));

const main: Process = {
  argv: process.argv.slice(2),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  patience: (ms) => {
    graceMs = ms;
  },
  interrupts,
};
// Completion answers between two keystrokes, so it does without the argument parser.
const { run } =
  main.argv[0] === "__complete"
    ? await import("./completion/answer.js")
    : await import("./program.js");
process.exit(await run(main));
