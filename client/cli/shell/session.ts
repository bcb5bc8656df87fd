// What a shell keeps from line to line: its flags, and open connections. It runs a line as kvctl
// runs a command line, in this process.

import type { Kvd } from "../../index.js";
import { CATALOG } from "../catalog.js";
import { meantBy } from "../command-line.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import type { Flags } from "../flags.js";
import { settingsOf } from "../line-settings.js";
import { camelCase } from "../option.js";
import type { Streams } from "../output.js";
import type { Connections, Process } from "../process.js";
import { run } from "../program.js";
import { GLOBAL_FLAGS, type GlobalFlag, type Settings } from "../settings.js";
import { nearestWord } from "./nearest.js";
import { type Command, isVerb, SHELL_VERBS } from "./old-commands.js";

/** More servers than this in one shell, and the one that was used first is left. */
const CONNECTIONS_MAX = 8;

export class KeptConnections implements Connections {
  readonly #open = new Map<string, Promise<Kvd>>();

  async get(settings: Settings, connect: () => Promise<Kvd>): Promise<Kvd> {
    const name = nameOf(settings);
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const made = connect();
    this.#open.set(name, made);
    // A server that could not be started may be there the next time.
    made.catch(() => this.#open.delete(name));
    const [oldest] = this.#open.keys();
    if (this.#open.size > CONNECTIONS_MAX && oldest !== undefined) await this.#close(oldest);
    return made;
  }

  /** The one that is open already. */
  async known(settings: Settings): Promise<Kvd | undefined> {
    return this.#open.get(nameOf(settings))?.catch(() => undefined);
  }

  /** A server that is gone is looked for anew, and not where it was found before. */
  async forget(): Promise<void> {
    for (const name of [...this.#open.keys()]) await this.#close(name);
  }

  async #close(name: string): Promise<void> {
    const open = this.#open.get(name);
    this.#open.delete(name);
    const kv = await open?.catch(() => undefined);
    await kv?.close();
  }
}

/** What a connection is made with. */
function nameOf({ server, timeoutMs }: Settings): string {
  return JSON.stringify([server, timeoutMs]);
}

export class Session {
  readonly connections = new KeptConnections();
  readonly #process: Process;
  /** The flags of the shell, by name. */
  readonly #values: Readonly<Record<string, string | boolean>>;
  readonly #flags: readonly string[];

  /** @param flags those of the shell itself, which count for each line that has not its own. */
  constructor(process: Process, flags: Flags) {
    this.#process = process;
    const given = GLOBAL_FLAGS.flatMap((option) => givenFlag(option, flags) ?? []);
    this.#values = Object.fromEntries(given.map(({ name, value }) => [camelCase(name), value]));
    this.#flags = given.map(({ text }) => text);
  }

  /** Those that a line has if it has no flags of its own. */
  settings(): Promise<Settings> {
    return settingsOf({ verb: "get", values: this.#values }, this.#process.environment);
  }

  /** @param streams where it writes, and what ends it. */
  async run(
    { argv }: Extract<Command, { kind: "run" }>,
    streams: Partial<Streams> & { readonly signal: AbortSignal },
  ): Promise<ExitCode> {
    const { interrupts, ...process } = this.#process;
    const exitCode = await run({
      ...{ ...process, ...streams, connections: this.connections },
      argv: [...this.#flags, ...argv],
    });
    if (exitCode === EXIT.unreachable) await this.connections.forget();
    return exitCode;
  }

  /** @throws UsageError for a verb that is none, with the nearest one. */
  check({ verb }: Extract<Command, { kind: "run" }>): void {
    if (verb === "shell") throw new UsageError("this is a shell already; QUIT ends it");
    if (verb === "" || isVerb(verb)) return;
    const known = [
      ...CATALOG.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias])),
      ...SHELL_VERBS.map(({ text }) => text),
      "help",
    ];
    const nearest = meantBy(verb) ?? nearestWord(verb.toLowerCase(), known);
    const meant = nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
    throw new UsageError(`there is no verb "${verb}"${meant}; HELP lists them`);
  }

  async close(): Promise<void> {
    await this.connections.forget();
  }
}

interface GivenFlag {
  /** As the argument parser has it: "autostart" of --no-autostart, which is false. */
  readonly name: string;
  readonly value: string | boolean;
  readonly text: string;
}

function givenFlag({ flags: shown }: GlobalFlag, flags: Flags): GivenFlag | undefined {
  const long = /--[a-z-]+/.exec(shown)?.[0] ?? "";
  if (long.startsWith("--no-")) {
    const name = long.slice("--no-".length);
    const off = flags.given(name) && !flags.on(name);
    return off ? { name, value: false, text: long } : undefined;
  }
  const name = long.slice("--".length);
  const value = flags.text(name) ?? flags.on(name);
  if (value === false) return undefined;
  return { name, value, text: value === true ? long : `${long}=${value}` };
}
