// kvctl context: servers under names, with settings for them, and which of them is in use.

import { type Action, runAction } from "../actions.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { chosenContext } from "../contexts/chosen-context.js";
import {
  type ContextFile,
  checkContextName,
  NO_CONTEXT,
  readContextFile,
  writeContextFile,
} from "../contexts/context-file.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import type { OptionDefinition } from "../option.js";
import { CONTEXT_SETTINGS, type Context, readSettings } from "../settings.js";
import { tableText } from "../table.js";
import { plainLine } from "../terminal-text.js";
import { contextPath } from "../user-folders.js";

const FORCE: OptionDefinition = {
  flags: "--force",
  description: "add: take the place of a context of that name",
};
const USE: OptionDefinition = { flags: "--use", description: "add: use it from now on" };

const ACTIONS: readonly Action[] = [
  {
    name: "add",
    word: "NAME",
    says: "keep --server, and --output, --timeout, --color if given, under a name",
    options: [FORCE, USE],
    run: add,
  },
  { name: "use", word: "NAME", says: "use it from now on; default: none", options: [], run: use },
  { name: "-", says: "use the one before", options: [], run: (invocation) => use(invocation, "-") },
  { name: "list", says: "all of them; the one in use has a star", options: [], run: list },
  { name: "show", says: "the one in use: its name, and what it sets", options: [], run: show },
  { name: "rm", word: "NAME", says: "forget it", options: [], run: remove },
];

export const contextCommand: CommandDefinition = {
  usage: "[add NAME --server ADDRESS | use NAME | - | list | show | rm NAME]",
  details: [
    "A context is a server, and settings for it, under a name. The one in use counts where neither a",
    "flag nor a variable says another; --context NAME takes one for a single command, and goes",
    "before variables; KVCTL_CONTEXT takes one for a shell. Errors name it beside the address. The",
    'name "default" stands for none: the local server, which is started when it does not run.',
    "They are kept in $XDG_CONFIG_HOME/kvctl/contexts.toml (~/.config without it), which may be",
    "edited.",
  ].join(" "),
  options: [FORCE, USE],
  actions: ACTIONS,
  examples: [
    { run: "kvctl context add prod --server 127.0.0.1:17856", says: "such as a tunnel's end" },
    { run: "kvctl context use prod", says: "from now on" },
    { run: "kvctl get greeting --context prod", says: "only this once" },
    { run: "kvctl context -", says: "back to the one before" },
    { run: "kvctl context show --output raw", says: "the name alone, for a prompt" },
  ],
  names: async (environment) => [...readContextFile(contextPath(environment)).contexts.keys()],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  return invocation.words.length === 0 ? list(invocation) : runAction(invocation, ACTIONS);
}

async function add(invocation: Invocation, name: string): Promise<ExitCode> {
  const { flags, output } = invocation;
  checkContextName(name);
  const path = contextPath(invocation.environment);
  const file = readContextFile(path);
  if (file.contexts.has(name) && !flags.on("force")) {
    throw new UsageError(`there is a context ${name} already; --force takes its place`);
  }
  const settings = await givenSettings(invocation);
  const changed = { ...file, contexts: new Map(file.contexts).set(name, settings) };
  await writeContextFile(path, flags.on("use") ? using(changed, name) : changed);
  const next = flags.on("use") ? "in use" : `kvctl context use ${name} chooses it`;
  output.note(`context ${name}: ${settings.server}; ${next}`);
  return EXIT.ok;
}

/** Checked now: later, somebody would wonder where the mistake is. @throws UsageError */
async function givenSettings({ flags }: Invocation): Promise<Context["settings"]> {
  const given = CONTEXT_SETTINGS.flatMap((name) => {
    const text = flags.text(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  const settings: Context["settings"] = Object.fromEntries(given);
  const { server } = settings;
  if (server === undefined) throw new UsageError("context add needs --server ADDRESS");
  readSettings(settings, {});
  const { connect } = await import("../../index.js");
  try {
    await connect(server).close();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`--server: ${error.message}`, { cause: error });
  }
  return settings;
}

async function use({ environment, output }: Invocation, word: string): Promise<ExitCode> {
  const path = contextPath(environment);
  const file = readContextFile(path);
  const name = word === "-" ? file.previous : word;
  if (name !== NO_CONTEXT) requireContext(file, name);
  await writeContextFile(path, using(file, name));
  const server = file.contexts.get(name)?.server;
  output.note(`context ${name}${server === undefined ? "" : `: ${server}`}`);
  return EXIT.ok;
}

function using(file: ContextFile, name: string): ContextFile {
  return name === file.current ? file : { ...file, current: name, previous: file.current };
}

async function remove({ environment, output }: Invocation, name: string): Promise<ExitCode> {
  const path = contextPath(environment);
  const file = readContextFile(path);
  requireContext(file, name);
  const contexts = new Map(file.contexts);
  contexts.delete(name);
  const without = (mark: string) => (mark === name ? NO_CONTEXT : mark);
  const [current, previous] = [without(file.current), without(file.previous)];
  await writeContextFile(path, { current, previous, contexts });
  output.note(`context ${name} is gone${current === file.current ? "" : ", and none is in use"}`);
  return EXIT.ok;
}

/** @throws Failure with 1: it is an answer, not a mistake in the command. */
function requireContext(file: ContextFile, name: string): void {
  if (file.contexts.has(name)) return;
  const names = [...file.contexts.keys()].join(", ");
  const there = names === "" ? "there is none; kvctl context add keeps one" : `there are ${names}`;
  throw new Failure(EXIT.negative, `there is no context ${name}; ${there}`);
}

async function list({ environment, output }: Invocation): Promise<ExitCode> {
  const { current, contexts } = readContextFile(contextPath(environment));
  const inUse = environment["KVCTL_CONTEXT"] || current;
  if (output.format === "json" || output.format === "jsonl") {
    const all = [...contexts].map(([name, settings]) => ({
      name,
      inUse: name === inUse,
      ...settings,
    }));
    if (output.format === "json") await output.json({ current: inUse, contexts: all });
    else for (const context of all) await output.json(context);
    return EXIT.ok;
  }
  const others = (settings: Context["settings"]) =>
    CONTEXT_SETTINGS.flatMap((name) =>
      name === "server" || settings[name] === undefined ? [] : [`${name}=${settings[name]}`],
    ).join(" ");
  const rows = [
    [NO_CONTEXT, "the local server", ""],
    ...[...contexts].map(([name, settings]) => [name, settings.server ?? "", others(settings)]),
  ].map(([name = "", ...cells]) => [name === inUse ? "*" : "", name, ...cells.map(plainLine)]);
  if (output.format === "table") {
    await output.line(await tableText(["", "name", "server", "settings"], rows));
    return EXIT.ok;
  }
  const width = Math.max(...rows.map(([, name = ""]) => name.length));
  for (const [mark = "", name = "", ...cells] of rows) {
    const line = `${mark.padEnd(1)} ${name.padEnd(width)}  ${cells.join("  ")}`.trimEnd();
    await output.line(mark === "" ? line : output.style("bold", line));
  }
  return EXIT.ok;
}

async function show(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, environment } = invocation;
  const context = await chosenContext({ context: flags.text("context") }, environment);
  const name = context?.name ?? NO_CONTEXT;
  const settings = context?.settings ?? {};
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ name, ...settings });
  } else if (output.format === "raw") {
    await output.write(name);
  } else {
    const rows = [["name", name], ...Object.entries(settings)];
    const shown = rows.map(([what = "", value = ""]) => [what, plainLine(value)]);
    if (output.format === "table") await output.line(await tableText(["what", "value"], shown));
    else for (const [what, value] of shown) await output.line(`${`${what}:`.padEnd(8)} ${value}`);
  }
  return EXIT.ok;
}
