// The shell on a terminal: prompt, line, command, answer, again. A command that fails says so, and
// the shell goes on. Ctrl-C drops the line, or stops the command that runs; twice, it ends all.

import type { ReadStream } from "node:tty";
import { CATALOG } from "../catalog.js";
import type { Invocation } from "../command.js";
import { namesOfVerb } from "../completion/candidates.js";
import { keysBudgetMs, keysOf } from "../completion/server-keys.js";
import { roughText } from "../duration.js";
import { errorText } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import type { Streams } from "../output.js";
import { Column, type Cursor } from "./column.js";
import { History, historyFile } from "./history.js";
import { Keyboard } from "./keyboard.js";
import { type Typed, typedLine } from "./line-editor.js";
import { type Command, commandFromWords } from "./old-commands.js";
import { quotedWord } from "./quoting.js";
import { rememberedWords } from "./secrets.js";
import type { Session } from "./session.js";
import { completionOf } from "./tab.js";
import { Unfinished } from "./unfinished.js";

/** What took longer is told. */
const SLOW_MS = 100;
/** A longer name of a server loses its beginning. */
const NAME_MAX = 30;

const HELP = [
  "In the shell: GET k, SET k v, DEL k, ADDFILE f and all verbs, in any case. Words are quoted",
  "as in sh, '…', \"…\" or $'…' with \\n, \\xNN and \\u{…}; a line with an open quote goes on in",
  "the next. Tab completes. Arrows, and Ctrl-R behind a part of it, find a former line; one that",
  "begins with a blank is not kept. Ctrl-C drops a line or stops a command; Ctrl-D or QUIT ends.",
].join("\n");

export class TerminalShell {
  readonly #invocation: Invocation;
  readonly #session: Session;
  readonly #keyboard: Keyboard;
  readonly #cursor: Cursor = { lineEnded: true };
  readonly #streams: Pick<Streams, "stdout" | "stderr">;
  readonly #history: History;

  constructor(invocation: Invocation, session: Session, keys: ReadStream) {
    const { stdout, stderr, environment } = invocation.process;
    this.#invocation = invocation;
    this.#session = session;
    this.#keyboard = new Keyboard(keys);
    this.#streams = {
      stdout: new Column(stdout, this.#cursor),
      stderr: stderr.isTTY === true ? new Column(stderr, this.#cursor) : stderr,
    };
    this.#history = new History(historyFile(environment));
  }

  async run(): Promise<ExitCode> {
    const { signal } = this.#invocation;
    await this.#greet();
    let pending = new Unfinished();
    for (;;) {
      const typed = await this.#typed(pending);
      if (signal.aborted) return signal.reason as ExitCode;
      if (typed.kind === "end") break;
      if (typed.kind === "interrupted") {
        pending = new Unfinished();
        this.#say("^C");
        continue;
      }
      const line = pending.add(typed.text);
      if (line === undefined) continue;
      const words = line.words.map(({ text }) => text);
      if (!/^\s/.test(line.text)) this.#remember(line.text, words);
      if (await this.#act(commandFromWords(words))) return EXIT.ok;
      if (signal.aborted) return signal.reason as ExitCode;
    }
    this.#say("");
    return EXIT.ok;
  }

  /** Is anybody there? If not, the shell begins all the same: it may come. */
  async #greet(): Promise<void> {
    const { output, settings, connect } = this.#invocation;
    // The connection of the shell itself, which is made as that of any command.
    const opened = this.#session.connections.get(settings, connect);
    const failed = await opened.then(
      () => undefined,
      (error) => error as unknown,
    );
    if (failed !== undefined) {
      output.error(errorText(failed, { settings, writes: false }));
      return;
    }
    const command = { kind: "run", verb: "ping", argv: ["ping", "--quiet"] } as const;
    const exitCode = await this.#interruptible((signal) => this.#session.run(command, { signal }));
    if (exitCode === EXIT.ok) output.note(`kvd at ${settings.server}; HELP shows what there is`);
  }

  async #typed(pending: Unfinished): Promise<Typed> {
    const { signal, process } = this.#invocation;
    this.#endLine();
    const { before } = pending;
    const name = await this.#name();
    return typedLine(this.#keyboard, process.stdout, {
      text: before === "" ? `${name}> ` : `${".".repeat(Math.min(3, name.length))}> `,
      history: this.#history.lines,
      complete: (typed) => completionOf(before + typed, typed, this.#sources()),
      signal,
    });
  }

  /** Of the server that the next command goes to, which the one before may have changed. */
  async #name(): Promise<string> {
    const settings = await this.#session.settings().catch(() => this.#invocation.settings);
    const { server, context } = settings;
    if (context !== undefined) return context;
    return server.length > NAME_MAX ? `…${server.slice(1 - NAME_MAX)}` : server;
  }

  /** A value that has no newline at its end stays. */
  #endLine(): void {
    if (!this.#cursor.lineEnded) this.#say(this.#invocation.output.style("dim", "⏎"));
    this.#cursor.lineEnded = true;
  }

  /** A line of the shell's own, between answers. */
  #say(text: string): void {
    this.#invocation.process.stdout.write(`${text}\n`);
  }

  /** As it was typed, unless that is more than a line, or something of it goes. */
  #remember(text: string, words: readonly string[]): void {
    const kept = rememberedWords(words);
    const whole = kept.length === words.length && !/\p{Cc}/u.test(text);
    this.#history.add(whole ? text.trimEnd() : kept.map(quotedWord).join(" "));
  }

  #sources() {
    const { environment } = this.#invocation.process;
    return {
      names: (verb: string) => namesOfVerb(verb, environment),
      // Without an open connection there are none: a Tab opens nothing, and starts no daemon.
      keys: async (prefix: string) => {
        const kv = await this.#session.connections.known(await this.#session.settings());
        return kv === undefined ? [] : keysOf(kv, prefix, keysBudgetMs(environment));
      },
    };
  }

  /** Runs a command; true when it is the end. */
  async #act(command: Command): Promise<boolean> {
    if (command.kind !== "run") return command.kind === "end";
    const { output } = this.#invocation;
    try {
      this.#session.check(command);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      output.error(error.message);
      return false;
    }
    const startedMs = performance.now();
    const exitCode = await this.#interruptible((signal) =>
      this.#session.run(command, { ...this.#streams, signal }),
    );
    const ms = performance.now() - startedMs;
    this.#endLine();
    if (exitCode === EXIT.usage) await this.#hint(command.verb);
    else if (exitCode !== EXIT.interrupted && ms > SLOW_MS) {
      const time = ms < 1_000 ? roughText(ms) : `${(ms / 1_000).toFixed(1)}s`;
      if (!output.quiet) this.#say(output.style("dim", `(${time})`));
    }
    if (command.verb === "help" && command.argv.length === 1) this.#say(`\n${HELP}`);
    return false;
  }

  /** Ctrl-C is the command's while it runs; a second one is the process's. */
  async #interruptible(act: (signal: AbortSignal) => Promise<ExitCode>): Promise<ExitCode> {
    const { signal, process } = this.#invocation;
    const interruption = new AbortController();
    const { interrupts } = process;
    if (interrupts !== undefined) {
      interrupts.taker = () => {
        const first = !interruption.signal.aborted;
        interruption.abort(EXIT.interrupted);
        return first;
      };
    }
    try {
      return await act(AbortSignal.any([signal, interruption.signal]));
    } finally {
      if (interrupts !== undefined) interrupts.taker = undefined;
    }
  }

  async #hint(verb: string): Promise<void> {
    const entry = CATALOG.find(({ name, alias }) => name === verb || alias === verb);
    const definition = await entry?.load();
    if (entry === undefined || definition === undefined) return;
    this.#invocation.output.note(`usage: ${`${entry.name} ${definition.usage}`.trim()} [flags]`);
  }
}
