// What `kvctl help --json` prints: every verb, flag, example and exit code, for machines. The
// manual page and docs/reference are made of it, and the parser takes exactly what it tells.

import { type Action, actionUsage } from "./actions.js";
import { CATALOG, type CatalogEntry } from "./catalog.js";
import { EXIT_MEANINGS } from "./exit-codes.js";
import { HELP_JSON, type OptionDefinition } from "./option.js";
import { GLOBAL_FLAGS } from "./settings.js";
import { packageVersion } from "./version.js";

/** A flag as it is told. */
interface FlagForm {
  readonly name: string;
  readonly short?: string;
  /** What its value is called; a flag without one is of type boolean. */
  readonly value?: string;
  readonly type: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly environment?: string;
  readonly description: string;
}

/** Types by what values are called; what is not here is text. */
const TYPES: Readonly<Record<string, string>> = {
  count: "integer",
  number: "integer",
  revision: "integer",
  id: "integer",
  duration: "duration",
  bytes: "bytes",
  file: "file",
  key: "key",
  prefix: "key",
};

/** Of the parser itself. */
const PARSER_FLAGS: readonly OptionDefinition[] = [
  { flags: "-V, --version", description: "print the version" },
  { flags: "-h, --help", description: "show the help of kvctl, or of a verb" },
];

/** Of all verbs, or of one alone. */
export async function description(verb?: string): Promise<unknown> {
  const entries = CATALOG.filter(({ name }) => verb === undefined || name === verb);
  const commands = await Promise.all(entries.map(commandOf));
  const globalFlags = GLOBAL_FLAGS.map(({ environment, fallback, ...flag }) => ({
    ...flagOf(flag),
    environment,
    default: fallback,
  }));
  const exitCodes = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => ({
    code: Number(code),
    meaning,
  }));
  return {
    name: "kvctl",
    version: packageVersion(),
    usage: "kvctl <verb> [key] [value] [flags]",
    globalFlags: [...globalFlags, ...PARSER_FLAGS.map(flagOf)],
    commands: [...commands, ...(verb === undefined || verb === "help" ? [help()] : [])],
    exitCodes,
  };
}

async function commandOf({ name, alias, summary, writes, load }: CatalogEntry): Promise<object> {
  const { usage, details, options, actions, examples } = await load();
  return {
    name,
    aliases: alias === undefined ? [] : [alias],
    summary,
    usage: `kvctl ${name} ${usage}`.trim(),
    details,
    writes,
    flags: options.map(flagOf),
    ...(actions === undefined ? {} : { actions: actions.map((action) => actionOf(name, action)) }),
    examples,
  };
}

/** The one verb that the parser has and the catalog has not. */
function help(): object {
  return {
    name: "help",
    aliases: [],
    summary: "show the help of a verb",
    usage: "kvctl help [VERB]",
    details: "Without a VERB it lists all, with the global flags and the exit codes.",
    writes: false,
    flags: [flagOf(HELP_JSON)],
    examples: [
      { run: "kvctl help get", says: "of one verb" },
      { run: "kvctl help --json", says: "everything, for programs" },
    ],
  };
}

function actionOf(verb: string, action: Action): object {
  return {
    name: action.name,
    summary: action.says,
    usage: `kvctl ${verb} ${actionUsage(action)}`,
    flags: action.options.map((option) => flagOf(option).name),
  };
}

/** "-o, --out <file>" in its parts. */
function flagOf({ flags, description, choices, fallback }: OptionDefinition): FlagForm {
  const short = /(?:^|\s)(-[A-Za-z])\b/.exec(flags)?.[1];
  const value = /<([^>]+)>/.exec(flags)?.[1];
  const plain = value === undefined ? "boolean" : (TYPES[value] ?? "text");
  return {
    name: /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags,
    ...(short === undefined ? {} : { short }),
    ...(value === undefined ? {} : { value }),
    type: choices === undefined ? plain : "choice",
    ...(choices === undefined ? {} : { choices }),
    ...(fallback === undefined ? {} : { default: fallback }),
    description,
  };
}
