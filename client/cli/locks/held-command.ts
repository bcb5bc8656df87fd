// The command that runs while a lock is held: with kvctl's own input and output, its signals, and
// an exit code that becomes kvctl's.
//
// On a terminal it is in kvctl's group, so that it can read there, and Ctrl-C reaches it without
// us. Elsewhere it leads a group of its own, and what it started is stopped with it.

import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as after } from "node:timers/promises";
import type { ExitCode } from "../exit-codes.js";
import { commandFailure } from "../watch-command.js";
import { CommandGuard } from "./command-guard.js";
import { type PassedSignal, signalExitCode } from "./signals.js";

const POLL_MS = 20;

export interface HeldCommandOptions {
  /** Besides kvctl's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ttlMs: number;
}

export class HeldCommand {
  /** Its exit code, or 128 and the number of the signal. @throws Failure if it cannot run. */
  readonly ended: Promise<ExitCode>;
  readonly #child: ChildProcess;
  readonly #onTerminal: boolean;

  constructor([file = "", ...args]: readonly string[], options: HeldCommandOptions) {
    this.#onTerminal = hasTerminal();
    this.#child = spawn(file, args, {
      stdio: "inherit",
      detached: !this.#onTerminal,
      env: { ...process.env, ...options.environment },
    });
    const { pid } = this.#child;
    const target = this.#onTerminal ? pid : -(pid ?? 0);
    const guard = pid === undefined ? undefined : new CommandGuard(target ?? pid, options.ttlMs);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", (error) => reject(commandFailure(file, error)));
      this.#child.on("exit", (code, name) => {
        guard?.dismiss();
        resolve(code === null ? signalExitCode(name ?? "SIGKILL") : (code as ExitCode));
      });
    });
    // Whoever waits for it is told.
    this.ended.catch(() => {});
  }

  pass(name: PassedSignal): void {
    // The terminal has sent these to its whole group already; twice would mean "at once" to many.
    if (this.#onTerminal && (name === "SIGINT" || name === "SIGQUIT")) return;
    this.#kill(name);
  }

  /** TERM, and KILL when it is still there after a while. Returns when it has ended. */
  async stop(graceMs: number): Promise<void> {
    const deadlineMs = performance.now() + graceMs;
    this.#kill("SIGTERM");
    const timer = setTimeout(() => this.#kill("SIGKILL"), graceMs);
    await this.ended.finally(() => clearTimeout(timer));
    // What it started has as long to end.
    while (!this.#onTerminal && this.#isThere() && performance.now() < deadlineMs) {
      await after(POLL_MS);
    }
    if (!this.#onTerminal) this.#kill("SIGKILL");
  }

  #isThere(): boolean {
    return this.#kill(0);
  }

  /** False when there is nobody. */
  #kill(name: NodeJS.Signals | 0): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    const ended = exitCode !== null || signalCode !== null;
    if (pid === undefined || (ended && this.#onTerminal)) return false;
    try {
      return process.kill(this.#onTerminal ? pid : -pid, name);
    } catch {
      return false;
    }
  }
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY === true);
}
