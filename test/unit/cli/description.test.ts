// What `kvctl help --json` tells is what the parser takes: each verb, flag and choice, and nothing
// else.

import test from "ava";
import { CATALOG } from "../../../client/cli/catalog.js";
import { parseCommandLine } from "../../../client/cli/command-line.js";
import { description } from "../../../client/cli/description.js";
import { UsageError } from "../../../client/cli/failure.js";
import { readSettings } from "../../../client/cli/settings.js";

interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly value?: string;
  readonly type: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly environment?: string;
}

interface Described {
  readonly globalFlags: readonly Flag[];
  readonly commands: readonly {
    readonly name: string;
    readonly aliases: readonly string[];
    readonly usage: string;
    readonly flags: readonly Flag[];
    readonly actions?: readonly { readonly name: string; readonly flags: readonly string[] }[];
  }[];
}

const all = (await description()) as Described;
const { commands, globalFlags } = all;
const ofParser = ["--help", "--version"];

/** Both ways to write it, with a value that may be one. */
function argumentsOf({ name, short, value, choices }: Flag): string[][] {
  const given = value === undefined ? [] : [choices?.[0] ?? "1"];
  return [name, ...(short === undefined ? [] : [short])].map((flag) => [flag, ...given]);
}

/** "--key-encoding" as commander names it: keyEncoding; "--no-pager" sets pager. */
function attributeOf(name: string): string {
  return name
    .replace(/^--(?:no-)?/, "")
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

test("verbs are those of the catalog, and help", (t) => {
  t.deepEqual(
    commands.map(({ name }) => name),
    [...CATALOG.map(({ name }) => name), "help"],
  );
  for (const { name, usage } of commands) t.true(usage.startsWith(`kvctl ${name}`), usage);
});

for (const { name: verb, aliases, flags } of commands.filter(({ name }) => name !== "help")) {
  test(`kvctl ${verb} takes each of its flags, and each global one`, async (t) => {
    for (const flag of [...flags, ...globalFlags.filter(({ name }) => !ofParser.includes(name))]) {
      for (const given of argumentsOf(flag)) {
        const line = await parseCommandLine([verb, ...given]);
        const value = line.kind === "run" ? line.values[attributeOf(flag.name)] : undefined;
        t.not(value, undefined, `${verb} ${given.join(" ")}`);
        t.is(typeof value === "boolean", flag.type === "boolean", `${verb} ${given.join(" ")}`);
      }
    }
    for (const alias of aliases) t.like(await parseCommandLine([alias]), { verb });
  });

  test(`kvctl ${verb} has no flag that is not told`, async (t) => {
    const line = await parseCommandLine([verb, "--help"]);
    const text = line.kind === "text" ? line.text : "";
    const told = [...flags, ...globalFlags].map(({ name }) => name);
    // A flag begins a line of the help; what explains it is further in.
    const taken = [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z0-9-]+)/gm)].map(
      ([, name]) => `${name}`,
    );
    t.deepEqual([...new Set(taken)].sort(), [...new Set(told)].sort());
    await t.throwsAsync(parseCommandLine([verb, "--no-such-flag"]), { instanceOf: UsageError });
  });

  test(`the choices of kvctl ${verb} are all that it takes`, async (t) => {
    for (const { name, choices = [] } of flags.filter((flag) => flag.choices !== undefined)) {
      for (const choice of choices) {
        t.like(await parseCommandLine([verb, name, choice]), { kind: "run" });
      }
      const error = await t.throwsAsync(parseCommandLine([verb, name, "no-such-choice"]), {
        instanceOf: UsageError,
      });
      t.true(error?.message.includes(choices.join(", ")));
    }
    t.pass();
  });
}

test("global flags have the variables, defaults and choices that settings have", (t) => {
  const defaults = readSettings({}, {});
  for (const { name, environment, choices, type, ...flag } of globalFlags) {
    if (ofParser.includes(name)) continue;
    t.is(
      environment,
      `KVCTL_${name
        .replace(/^--(?:no-)?/, "")
        .replaceAll("-", "_")
        .toUpperCase()}`,
    );
    if (flag.default !== undefined && type !== "boolean") {
      const given = readSettings({ [attributeOf(name)]: flag.default }, {});
      t.deepEqual({ ...given, origins: defaults.origins }, defaults, name);
    }
    for (const choice of choices ?? []) {
      t.notThrows(() => readSettings({ [attributeOf(name)]: choice }, {}));
      t.notThrows(() => readSettings({}, { [environment ?? ""]: choice }));
    }
    if (choices !== undefined) {
      t.throws(() => readSettings({ [attributeOf(name)]: "x" }, {}), { instanceOf: UsageError });
    }
  }
});

test("defaults are of their type, and one of the choices", (t) => {
  for (const { name, type, choices, default: fallback } of commands.flatMap(({ flags }) => flags)) {
    if (fallback === undefined) continue;
    if (choices !== undefined) t.true(choices.includes(fallback), name);
    if (type === "integer") t.regex(fallback, /^\d+$/, name);
    if (type === "duration") t.regex(fallback, /^\d+(ms|s|m|h|d)$/, name);
  }
});

test("the flags of actions are flags of their verb", (t) => {
  for (const { actions = [], flags } of commands) {
    const names = flags.map(({ name }) => name);
    for (const action of actions) for (const flag of action.flags) t.true(names.includes(flag));
  }
});
