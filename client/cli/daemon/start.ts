// Starts the daemon, or waits for whoever does, until the health service says that it serves.
//
// What is known before this: nobody listened on the default address a moment ago. What decides is
// the lock of the data directory, which only one kvd can have. Nothing was sent yet, so whoever
// wanted to call the server calls it afterwards, once.

import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { roughText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure } from "../failure.js";
import type { Output } from "../output.js";
import type { Settings } from "../settings.js";
import type { Environment } from "../user-folders.js";
import { type DaemonFiles, daemonFiles, makeDaemonFolder } from "./daemon-files.js";
import { FolderChanges } from "./folder-changes.js";
import { endOf, spawnDaemon } from "./kvd-process.js";
import { lockHolder } from "./lock-holder.js";
import { reasonInLog, sizeOf } from "./log-reason.js";
import { isRefused } from "./probe.js";
import { isServing } from "./serving.js";
import { type StartResult, takeStartTurn } from "./start-turn.js";

/** Reading a large store takes a while; a --timeout that is longer counts. */
const START_MS = 60_000;
/** Of a start that takes longer, whoever sits at a terminal is told what goes on. */
const PATIENCE_MS = 3_000;

export interface Starting {
  /** `server` is the address to start it on. */
  readonly settings: Pick<Settings, "server" | "timeoutMs">;
  readonly output: Pick<Output, "note" | "notesToTerminal">;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** More flags of kvd. */
  readonly flags?: readonly string[];
}

/** True when it was this call that started it. @throws Failure that says why it does not run. */
export async function startDaemon(starting: Starting): Promise<boolean> {
  const { settings, output, environment, signal } = starting;
  const waitMs = settings.timeoutMs === 0 ? 0 : Math.max(START_MS, settings.timeoutMs);
  const signals = waitMs === 0 ? [signal] : [signal, AbortSignal.timeout(waitMs)];
  const start = new DaemonStart(starting, daemonFiles(environment), AbortSignal.any(signals));
  const isOurs = await start.run();
  if (isOurs) output.note(`Daemon started on port ${portOf(settings.server)}`);
  return isOurs;
}

export function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

class DaemonStart {
  readonly #starting: Starting;
  readonly #files: DaemonFiles;
  /** Aborted by the user, and when it takes too long. */
  readonly #signal: AbortSignal;
  readonly #address: string;

  constructor(starting: Starting, files: DaemonFiles, signal: AbortSignal) {
    this.#starting = starting;
    this.#files = files;
    this.#signal = signal;
    this.#address = starting.settings.server;
  }

  async run(): Promise<boolean> {
    makeDaemonFolder(this.#files);
    for (;;) {
      const turn = await takeStartTurn(this.#files.startSocket, this.#signal);
      if (turn.kind === "starts") return this.#startFor(turn.end);
      const result = await turn.result;
      if (result?.kind === "failed") throw new Failure(result.exitCode, result.text);
      if (result?.kind === "ready") return false;
      // The one that started it is gone: whoever comes next looks how far it is.
      this.#endIfOver(undefined);
    }
  }

  /** Whatever happens, those who wait hear of it. */
  async #startFor(end: (result: StartResult | undefined) => void): Promise<boolean> {
    let result: StartResult | undefined;
    try {
      const isOurs = await this.#start();
      result = { kind: "ready" };
      return isOurs;
    } catch (error) {
      // Those who wait longer than this one, or were not interrupted, try for themselves.
      if (error instanceof Failure && !this.#signal.aborted) {
        result = { kind: "failed", text: error.message, exitCode: error.exitCode };
      }
      throw error;
    } finally {
      end(result);
    }
  }

  async #start(): Promise<boolean> {
    const changes = new FolderChanges(this.#files.folder);
    this.#signal.addEventListener("abort", changes.notice, { once: true });
    try {
      for (;;) {
        // Another may have come first since the port was looked at.
        if (await this.#othersServe(changes)) return false;
        await this.#refuseOthers();
        const offset = await sizeOf(this.#files.log);
        const { environment, flags = [] } = this.#starting;
        const setup = { files: this.#files, address: this.#address, environment, flags };
        const child = spawnDaemon(setup);
        child.once("exit", changes.notice).once("error", changes.notice);
        // Whoever breaks it off does not want it; too slow a start goes on.
        const end = () => child.kill("SIGTERM");
        this.#starting.signal.addEventListener("abort", end, { once: true });
        if (this.#starting.signal.aborted) end();
        if (await this.#untilServing(child, changes)) {
          this.#starting.signal.removeEventListener("abort", end);
          child.unref();
          const holder = await lockHolder(this.#files.dataDir);
          return holder?.pid === undefined || holder.pid === child.pid;
        }
        // It lost against one that began at the same moment; else it has a reason.
        if ((await lockHolder(this.#files.dataDir)) === undefined && !(await this.#serves())) {
          throw await this.#failure(child, offset);
        }
      }
    } finally {
      this.#signal.removeEventListener("abort", changes.notice);
      changes.close();
    }
  }

  /** False when it has ended instead. */
  async #untilServing(child: ChildProcess, changes: FolderChanges): Promise<boolean> {
    const { output } = this.#starting;
    const began = performance.now();
    for (let told = !output.notesToTerminal; ; ) {
      this.#endIfOver(child.pid);
      if (endOf(child) !== undefined) return false;
      if (await this.#serves()) return true;
      if (!told && performance.now() - began > PATIENCE_MS) {
        told = true;
        output.note(`waiting for kvd (pid ${child.pid}) to read its data`);
      }
      await changes.next();
    }
  }

  /** Waits while another kvd has the data: one that is about to listen, or about to end. */
  async #othersServe(changes: FolderChanges): Promise<boolean> {
    for (;;) {
      if (await this.#serves()) return true;
      const holder = await lockHolder(this.#files.dataDir);
      if (holder === undefined) return false;
      await this.#refuseOtherPort(holder.pid);
      this.#endIfOver(holder.pid);
      await changes.next();
    }
  }

  /** @throws Failure when the daemon runs, but listens on another port. */
  async #refuseOtherPort(pid: number | undefined): Promise<void> {
    const port = await portOfDaemon(this.#files);
    if (port === undefined || port === portOf(this.#address)) return;
    if (!(await isServing(`127.0.0.1:${port}`))) return;
    const text = `the local server (pid ${pid ?? "unknown"}) listens on port ${port} already`;
    const hint = `KVCTL_PORT=${port} finds it there, kvctl serve --stop ends it`;
    throw new Failure(EXIT.unreachable, `${text}; ${hint}`);
  }

  /** @throws Failure when something else has the port. */
  async #refuseOthers(): Promise<void> {
    if (await isRefused(this.#address)) return;
    const text = `something that is no kvd listens on ${this.#address}`;
    throw new Failure(EXIT.unreachable, `${text}; KVCTL_PORT names another port`);
  }

  async #serves(): Promise<boolean> {
    return !(await isRefused(this.#address)) && (await isServing(this.#address));
  }

  #endIfOver(pid: number | undefined): void {
    if (!this.#signal.aborted) return;
    if (this.#starting.signal.aborted) {
      throw new Failure(this.#starting.signal.reason as ExitCode, "interrupted");
    }
    const waitedMs = Math.max(START_MS, this.#starting.settings.timeoutMs);
    const who = pid === undefined ? "kvd" : `kvd (pid ${pid})`;
    const text = `${who} does not serve on ${this.#address} after ${roughText(waitedMs)}`;
    throw new Failure(EXIT.deadline, `${text}; its log is ${this.#files.log}`);
  }

  async #failure(child: ChildProcess, offset: number): Promise<Failure> {
    const { log, dataDir } = this.#files;
    const end = endOf(child);
    const reason = (await reasonInLog(log, offset)) ?? `it ended with ${end}`;
    const more = end === DATA_FAILURE ? `; kvd check --data-dir ${dataDir} looks closer` : "";
    return new Failure(EXIT.unreachable, `cannot start kvd: ${reason}${more}; its log is ${log}`);
  }
}

/** What kvd ends with when its data is damaged, or the disk. */
const DATA_FAILURE = 74;

/** Of a daemon that runs, or that was killed. */
export async function portOfDaemon({ portFile }: DaemonFiles): Promise<string | undefined> {
  const text = await readFile(portFile, "utf8").catch(() => "");
  return /^\d{1,5}$/.test(text.trim()) ? text.trim() : undefined;
}
