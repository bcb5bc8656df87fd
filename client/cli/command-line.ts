// Takes a command line apart: verb, flags, words. Sends and writes nothing.
//
// The argument parser sees only what stands before the first `--`, because it would drop that mark;
// what follows is handed on as it is. Only the file of the verb at hand is loaded.

import { Command, CommanderError, Option } from "commander";
import { actionUsage } from "./actions.js";
import { CATALOG, type CatalogEntry } from "./catalog.js";
import type { CommandDefinition } from "./command.js";
import { EXIT_MEANINGS } from "./exit-codes.js";
import { UsageError } from "./failure.js";
import { HELP_JSON, type OptionDefinition } from "./option.js";
import { GLOBAL_FLAGS } from "./settings.js";
import { packageVersion } from "./version.js";

export type CommandLine =
  /** Text to show. Not `asked` for: nothing that could be run was given. */
  | { readonly kind: "text"; readonly text: string; readonly asked: boolean }
  /** For machines; of all verbs, or of one. */
  | { readonly kind: "description"; readonly verb: string | undefined }
  | {
      readonly kind: "run";
      readonly verb: string;
      readonly writes: boolean;
      /** May a server be started for it? */
      readonly autostart: boolean;
      /** Has it calls that could be printed instead? */
      readonly calls: boolean;
      readonly definition: CommandDefinition;
      readonly words: readonly string[];
      readonly tail: readonly string[] | undefined;
      readonly values: Readonly<Record<string, unknown>>;
    };

/** @throws UsageError that says what to type instead. */
export async function parseCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const dashes = argv.indexOf("--");
  const head = dashes < 0 ? argv : argv.slice(0, dashes);
  const tail = dashes < 0 ? undefined : argv.slice(dashes + 1);
  const parser = new Parser(tail);
  return parser.parse(head);
}

class Parser {
  readonly #program = new Command("kvctl");
  readonly #tail: readonly string[] | undefined;
  #printed = "";
  #verb: string | undefined;
  #result: CommandLine | undefined;

  constructor(tail: readonly string[] | undefined) {
    this.#tail = tail;
    const program = this.#program
      .usage("<verb> [key] [value] [flags]")
      .description("Reads, writes and watches the keys of a kvd server.")
      .version(packageVersion(), "-V, --version", "print the version")
      .helpOption("-h, --help", "show this help")
      .helpCommand(false)
      .exitOverride()
      .configureHelp({ subcommandTerm: (command) => namesOf(command).join(", ") })
      .configureOutput({ writeOut: (text) => this.#print(text), writeErr: () => {} })
      .hook("preSubcommand", (_, command) => this.#define(command));
    for (const flag of GLOBAL_FLAGS) program.addOption(globalOption(flag));
    for (const { name, alias, summary } of CATALOG) {
      const command = program.command(name).description(summary).argument("[words...]");
      if (alias !== undefined) command.alias(alias);
    }
    program
      .command("help")
      .summary("show the help of a verb")
      .description(
        "Shows the help of a verb.\n\nExamples:\n  # of one verb\n  kvctl help get\n" +
          "  # everything, for programs\n  kvctl help --json",
      )
      .usage("[verb] [--json]")
      .argument("[words...]");
    program.addHelpText("after", exitCodesText());
  }

  async parse(head: readonly string[]): Promise<CommandLine> {
    try {
      await this.#program.parseAsync([...head], { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.code === "commander.help") {
        return { kind: "text", text: this.#program.helpInformation(), asked: false };
      }
      if (error.exitCode !== 0) throw usageError(error, this.#verb);
    }
    return this.#result ?? { kind: "text", text: this.#printed, asked: true };
  }

  /** Gives a verb its flags and its action, once it is known to be the one. */
  async #define(command: Command): Promise<void> {
    const verb = command.name();
    this.#verb = verb;
    if (verb === "help") {
      addOptions(command, [HELP_JSON]).action((words: string[], values: { json?: boolean }) =>
        this.#help(words, values.json === true),
      );
      return;
    }
    const entry = CATALOG.find(({ name }) => name === verb);
    if (entry === undefined) throw new Error(`no verb ${verb} in the catalog`);
    const definition = await entry.load();
    describe(command, entry.summary, definition);
    command.action((words: string[]) => {
      this.#result = {
        kind: "run",
        verb,
        writes: writesWith(entry, words),
        autostart: entry.autostart !== false,
        calls: entry.calls !== false,
        definition,
        words: [...words, ...(this.#tail ?? [])],
        tail: this.#tail,
        values: command.optsWithGlobals(),
      };
    });
  }

  async #help(words: readonly string[], json: boolean): Promise<void> {
    const [verb] = words;
    if (verb === undefined) {
      if (json) this.#result = { kind: "description", verb };
      else this.#program.outputHelp();
      return;
    }
    const command = this.#program.commands.find(
      (known) => known.name() === verb || known.alias() === verb,
    );
    if (command === undefined) {
      throw new UsageError(`there is no verb "${verb}"; kvctl help lists them`);
    }
    if (json) {
      this.#result = { kind: "description", verb: command.name() };
      return;
    }
    if (command.name() !== "help") await this.#define(command);
    command.outputHelp();
  }

  #print(text: string): void {
    this.#printed += text;
  }
}

function writesWith({ writes }: CatalogEntry, [first = ""]: readonly string[]): boolean {
  return typeof writes === "boolean" ? writes : writes.includes(first);
}

function globalOption(flag: (typeof GLOBAL_FLAGS)[number]): Option {
  const { flags, description, environment, fallback } = flag;
  return new Option(flags, `${description} (${environment}; default ${fallback})`);
}

function addOptions(command: Command, options: readonly OptionDefinition[]): Command {
  for (const { flags, description, choices, fallback } of options) {
    const says = fallback === undefined ? "" : ` (default ${fallback})`;
    const option = new Option(flags, `${description}${says}`);
    if (choices !== undefined) option.argParser((text) => chosen(option, choices, text));
    command.addOption(option);
  }
  return command;
}

/** @throws UsageError */
function chosen({ long }: Option, choices: readonly string[], text: string): string {
  if (choices.includes(text)) return text;
  throw new UsageError(`${long} is one of ${choices.join(", ")}, not "${text}"`);
}

function describe(command: Command, summary: string, definition: CommandDefinition): void {
  const { usage, details, options, actions = [], examples } = definition;
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  const taken = actions.map((action) => `  ${actionUsage(action)}\n      ${action.says}`);
  const list = taken.length === 0 ? "" : `Actions:\n${taken.join("\n")}\n\n`;
  const shown = examples.map(({ run, says }) => `  # ${says}\n  ${run}`).join("\n");
  addOptions(command, options)
    .usage(`${usage} [flags]`.trim())
    .description(`${sentence}\n\n${details}\n\n${list}Examples:\n${shown}`)
    .configureHelp({ showGlobalOptions: true, visibleArguments: () => [] });
}

function namesOf(command: Command): string[] {
  const alias = command.alias();
  return alias === "" || alias === undefined ? [command.name()] : [command.name(), alias];
}

function exitCodesText(): string {
  const codes = Object.entries(EXIT_MEANINGS).map(
    ([code, says]) => `  ${code.padStart(3)}  ${says}`,
  );
  const dashes = "After --, nothing is a flag: kvctl put k -- -5";
  return `\n${dashes}\nkvctl help <verb> shows flags and examples; kvctl help --json is for machines.\n\nExit codes:\n${codes.join("\n")}`;
}

/** What other tools call our verbs; the letters alone would lead elsewhere: set to get. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ...["set", "write"].map((word) => [word, "put"] as const),
  ...["rm", "remove", "unset"].map((word) => [word, "delete"] as const),
  ...["keys", "list"].map((word) => [word, "ls"] as const),
  ["scan", "range"],
  ["info", "status"],
  ["monitor", "watch"],
  ["subscribe", "watch"],
  ["start", "serve"],
  ["stop", "serve --stop"],
  ["version", "--version"],
]);

/** The verb that is meant by a word that is none; undefined leaves it to the parser's guess. */
export function meantBy(word: string): string | undefined {
  const lower = word.toLowerCase();
  const known = CATALOG.find(({ name, alias }) => name === lower || alias === lower);
  return known?.name ?? ELSEWHERE.get(lower);
}

/** The parser's words in one line, with where to look. */
function usageError(error: CommanderError, verb: string | undefined): UsageError {
  const unknown = /^error: unknown command '([^']*)'/.exec(error.message)?.[1];
  const meant = unknown === undefined ? undefined : meantBy(unknown);
  if (meant !== undefined) {
    const text = `unknown command "${unknown}" (did you mean ${meant}?); kvctl help lists all`;
    return new UsageError(text, { cause: error });
  }
  const said = error.message
    .replace(/^error: /, "")
    .replace(/\s*\(Did you mean (.*)\?\)$/s, " (did you mean $1?)")
    .replace(/'/g, '"');
  const look = verb === undefined ? "kvctl help lists all" : `see kvctl help ${verb}`;
  const dash =
    verb === "put" && error.code === "commander.unknownOption"
      ? "; a value that starts with a dash goes after --: kvctl put KEY -- VALUE"
      : "";
  return new UsageError(`${said}${dash}; ${look}`, { cause: error });
}
