// Processes of the tests: started with an environment of their own, told apart by their id, ended
// with the test whatever happens. Nothing here sleeps: what is waited for is an event, with a
// deadline that only a fault reaches.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, watch } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the context of a test has, and a hook can make. */
export interface Scope {
  teardown(end: () => unknown): void;
}

export interface Ended {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  /** What it reads; without it, nothing. */
  readonly stdin?: string | Uint8Array;
  /** Besides PATH and the like. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
}

type Command = readonly [file: string, ...args: string[]];

const DEADLINE_MS = 60_000;

/** The compiled tree that this file is in, and the project around it. */
export const COMPILED = fileURLToPath(new URL("../../", import.meta.url));
export const PROJECT = join(COMPILED, "..");

export const KVD = join(COMPILED, "server/main.js");
export const KVCTL = join(COMPILED, "client/cli/main.js");
/** As users run them: what a build makes of those two. */
export const BUNDLED_KVD = join(COMPILED, "bin/kvd.js");
export const BUNDLED_KVCTL = join(COMPILED, "bin/kvctl.js");
export const COUNTRIES = join(COMPILED, "examples/countries/load.js");

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) killGroup(child);
});
// A run that is taking too long is ended so, and one that is interrupted.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(1));
}

/** It leads a group, with those that it started: a launcher's child would live on. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it is gone already.
  }
}

/** A process that runs while the test does. */
export class RunningProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  #over = false;

  constructor(scope: Scope, [file, ...args]: Command, options: RunOptions = {}) {
    this.#child = spawn(file, args, {
      stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      env: { ...surroundings(), ...options.environment },
      cwd: options.folder ?? PROJECT,
      detached: true,
    });
    running.add(this.#child);
    const { stdin, stdout, stderr } = this.#child;
    stdout?.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    stderr?.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    // A process that does not read its input closes it; that is its right.
    stdin?.on("error", () => {});
    stdin?.end(options.stdin);
    this.ended = this.#end();
    this.ended.catch(() => {});
    scope.teardown(() => this.kill());
  }

  /** So far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString("utf8");
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString("utf8");
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Reads nothing of what it prints any more, and lets it notice. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  /** Ends it and those that it started at once, and waits for that. */
  async kill(): Promise<void> {
    if (!this.#over) killGroup(this.#child);
    await this.ended.catch(() => {});
  }

  /** What `find` makes of its standard output, as soon as it makes something of it. */
  async output<T>(find: (stdout: string) => T | undefined): Promise<T> {
    for (;;) {
      const over = this.#over;
      const found = find(this.stdout);
      if (found !== undefined) return found;
      if (over) throw new Error(`it ended without saying it:\n${this.stdout}${this.stderr}`);
      const { stdout } = this.#child;
      const more = stdout === null ? this.ended : once(stdout, "data");
      await inTime(Promise.race([more, this.ended]), "output");
    }
  }

  async #end(): Promise<Ended> {
    try {
      const [code, signal] = await once(this.#child, "close");
      const stdoutBytes = Buffer.concat(this.#stdout);
      return {
        exitCode: code ?? undefined,
        signal: signal ?? undefined,
        stdout: stdoutBytes.toString("utf8"),
        stdoutBytes,
        stderr: this.stderr,
      };
    } finally {
      this.#over = true;
      running.delete(this.#child);
    }
  }
}

/** Runs a command to its end. */
export function run(scope: Scope, command: Command, options: RunOptions = {}): Promise<Ended> {
  const child = new RunningProcess(scope, command, options);
  return inTime(child.ended, `the end of ${command.join(" ")}`);
}

export interface RunningServer {
  /** As kvctl and connect() take it. */
  readonly address: string;
  readonly process: RunningProcess;
  readonly portFile: string;
}

export interface ServerSetup extends Pick<RunOptions, "environment"> {
  /** The compiled one unless told. */
  readonly kvd?: Command;
  /** "127.0.0.1:0" unless told. */
  readonly listen?: string;
  /** In memory unless told. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
}

/** A kvd that listens. */
export async function startKvd(scope: Scope, setup: ServerSetup = {}): Promise<RunningServer> {
  const folder = await temporaryFolder(scope);
  const portFile = join(folder, "port");
  const { kvd = [NODE, KVD], listen = "127.0.0.1:0", dataDir, args = [], environment = {} } = setup;
  const data = dataDir === undefined ? ["--memory"] : ["--data-dir", dataDir];
  const flags = [...data, "--listen", listen, "--port-file", portFile, ...args];
  const process = new RunningProcess(scope, [...kvd, ...flags], { environment });
  await appearance(portFile, process.ended);
  if (!existsSync(portFile)) {
    const { exitCode, stdout } = await process.ended;
    throw new Error(`kvd did not start, and ended with ${exitCode}: ${stdout}`);
  }
  const told = readFileSync(portFile, "utf8").trim();
  const address = /^\d+$/.test(told) ? `127.0.0.1:${told}` : `unix:${told}`;
  return { address, process, portFile };
}

/** The Node that runs the tests. */
export const NODE = process.execPath;

export interface Kvctl {
  (...args: readonly string[]): Promise<Ended>;
  /** The same with something to read, or another environment. */
  with(options: RunOptions): (...args: readonly string[]) => Promise<Ended>;
}

/** kvctl for one server; without an address, for the default one. */
export function kvctlFor(scope: Scope, address: string | undefined, path = KVCTL): Kvctl {
  const server = address === undefined ? {} : { KVCTL_SERVER: address };
  const kvctl =
    (options: RunOptions) =>
    (...args: readonly string[]) => {
      const environment = { ...server, ...options.environment };
      return run(scope, [NODE, path, ...args], { ...options, environment });
    };
  return Object.assign(kvctl({}), { with: kvctl });
}

/** A folder of its own, gone with the test. */
export async function temporaryFolder(scope: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kvd-test-"));
  scope.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A scope for hooks, which have no teardown: what is given last ends first. */
export class HookScope implements Scope {
  readonly #ends: (() => unknown)[] = [];

  teardown(end: () => unknown): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

/** @throws when it takes as long as only a fault can. */
export async function inTime<T>(
  promise: Promise<T>,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`waited ${deadlineMs} ms for ${what}`);
    timeout = setTimeout(() => reject(error), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timeout);
  }
}

/** Settled when a file is there, or when `over` is. */
async function appearance(path: string, over: Promise<unknown>): Promise<void> {
  const watcher = watch(join(path, ".."));
  let isOver = false;
  const ended = over.finally(() => {
    isOver = true;
  });
  try {
    while (!existsSync(path) && !isOver) {
      await inTime(Promise.race([once(watcher, "change"), ended]), path);
    }
  } finally {
    watcher.close();
  }
}

/**
 * What a process of ours may know of the machine: nothing that changes what it does. No kvctl reads
 * the contexts of whoever runs the tests, and none starts a server unless a test wants it to.
 */
function surroundings(): Record<string, string> {
  const names = ["PATH", "HOME", "TMPDIR", "LANG"];
  const known = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const nowhere = join(COMPILED, "no-such-folder");
  const ours = { XDG_CONFIG_HOME: nowhere, XDG_STATE_HOME: nowhere, KVCTL_AUTOSTART: "0" };
  return { ...Object.fromEntries(known), ...ours };
}
