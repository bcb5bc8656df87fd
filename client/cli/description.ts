// What `kvctl help --json` prints: every verb, flag, example and exit code, for machines.

import { type Action, actionUsage } from "./actions.js";
import { CATALOG } from "./catalog.js";
import { EXIT_MEANINGS } from "./exit-codes.js";
import type { OptionDefinition } from "./option.js";
import { GLOBAL_FLAGS } from "./settings.js";
import { packageVersion } from "./version.js";

/** Of all verbs, or of one alone. */
export async function description(verb?: string): Promise<unknown> {
  const commands = await Promise.all(
    CATALOG.filter(({ name }) => verb === undefined || name === verb).map(
      async ({ name, alias, summary, load }) => {
        const { usage, details, options, actions, examples } = await load();
        return {
          name,
          aliases: alias === undefined ? [] : [alias],
          summary,
          usage: `kvctl ${name} ${usage}`.trim(),
          details,
          flags: options.map(flagOf),
          ...(actions === undefined
            ? {}
            : { actions: actions.map((action) => actionOf(name, action)) }),
          examples,
        };
      },
    ),
  );
  const globalFlags = GLOBAL_FLAGS.map(({ environment, fallback, ...flag }) => ({
    ...flagOf(flag),
    environment,
    default: fallback,
  }));
  const exitCodes = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => ({
    code: Number(code),
    meaning,
  }));
  return { name: "kvctl", version: packageVersion(), globalFlags, commands, exitCodes };
}

function actionOf(verb: string, action: Action): Record<string, unknown> {
  return {
    name: action.name,
    summary: action.says,
    usage: `kvctl ${verb} ${actionUsage(action)}`,
    flags: action.options.map((option) => flagOf(option)["name"]),
  };
}

/** "-o, --out <file>" in its parts. */
function flagOf({ flags, choices, description }: OptionDefinition): Record<string, unknown> {
  const short = /(?:^|\s)(-[A-Za-z])\b/.exec(flags)?.[1];
  const value = /<([^>]+)>/.exec(flags)?.[1];
  return {
    name: /--[a-z0-9-]+/.exec(flags)?.[0],
    ...(short === undefined ? {} : { short }),
    ...(value === undefined ? {} : { value }),
    ...(choices === undefined ? {} : { choices }),
    description,
  };
}
