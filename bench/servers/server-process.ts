// A server in a process of its own, on its core: how it begins, what it uses, how it ends.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { onCore, SERVER_CORE } from "./cores.js";

export interface SpawnOptions {
  /** The port, once the output tells that it serves. */
  readonly portIn: (output: string) => number | undefined;
  /** Told of the rest of its output, by chunks. */
  readonly onOutput?: (text: string) => void;
}

/** What Linux counts processor time in (USER_HZ), in milliseconds. */
const TICK_MS = 10;

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly port: number;

  /** @throws Error with its output when it ends before it serves. */
  static start(words: readonly string[], options: SpawnOptions): Promise<ServerProcess> {
    const [command = "", ...rest] = onCore(SERVER_CORE, words);
    const child = spawn(command, rest, { stdio: ["ignore", "pipe", "ignore"] });
    return new Promise((resolve, reject) => {
      let output = "";
      let port: number | undefined;
      child.stdout.on("data", (chunk) => {
        if (port !== undefined) return options.onOutput?.(String(chunk));
        output += chunk;
        port = options.portIn(output);
        if (port !== undefined) resolve(new ServerProcess(child, port));
      });
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`${words.join(" ")} has ended: ${output}`)));
    });
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resident bytes; NaN where the system does not tell. */
  residentBytes(): number {
    const path = `/proc/${this.pid}/status`;
    if (!existsSync(path)) return Number.NaN;
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(path, "utf8"))?.[1]) * 1024;
  }

  /** Processor time so far, of all threads and of the system for them; NaN where not told. */
  usedMs(): number {
    const path = `/proc/${this.pid}/stat`;
    if (!existsSync(path)) return Number.NaN;
    const fields = readFileSync(path, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  /** Asks it to end, and waits until it has. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, "exit");
    }
  }
}

/** What a server uses of its core from now until the returned function is called, in percent. */
export function shareOf(server: ServerProcess): () => number {
  const [usedMs, began] = [server.usedMs(), performance.now()];
  return () => ((server.usedMs() - usedMs) / (performance.now() - began)) * 100;
}
