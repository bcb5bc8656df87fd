// Ends a command when kvctl is killed before it: a lock that ends with the lease of a dead kvctl
// must not leave its command behind, running beside that of the next holder.
//
// A shell waits for a word on a pipe. The pipe's end without one means that kvctl is gone, however
// that happened. It is a process of its own session, so that what ends kvctl does not end it.

import { type ChildProcess, spawn } from "node:child_process";

/** `$1` is a process or, with a minus, a group; `$2` how many seconds it has to end by itself. */
const SCRIPT = [
  "trap '' INT TERM HUP QUIT",
  'read -r word <&3 && test "$word" = done && exit 0',
  'kill -s TERM -- "$1" 2>/dev/null',
  'test "$2" -gt 0 && sleep "$2"',
  'kill -s KILL -- "$1" 2>/dev/null',
].join("\n");

/** From this ttl on there is time to end by itself: two thirds of it remain at least. */
const PATIENT_TTL_MS = 6_000;
const PATIENCE_SECONDS = 2;

export class CommandGuard {
  readonly #shell: ChildProcess;

  /** @param target as kill(1) takes it. */
  constructor(target: number, ttlMs: number) {
    const patience = ttlMs < PATIENT_TTL_MS ? 0 : PATIENCE_SECONDS;
    const args = ["-c", SCRIPT, "kvctl-guard", String(target), String(patience)];
    this.#shell = spawn("/bin/sh", args, {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
      detached: true,
      cwd: "/",
    });
    // Without a shell there is no guard; then it is as it is with other tools.
    this.#shell.on("error", () => {});
    this.#pipe?.on("error", () => {});
    this.#shell.unref();
  }

  /** The command has ended. */
  dismiss(): void {
    this.#pipe?.end("done\n");
  }

  get #pipe() {
    return this.#shell.stdio[3] as NodeJS.WritableStream | null | undefined;
  }
}
