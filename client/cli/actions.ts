// Verbs with several actions, of which the first word names one: `lease grant`, `snapshot save`.

import type { Invocation } from "./command.js";
import type { ExitCode } from "./exit-codes.js";
import { UsageError } from "./failure.js";
import type { OptionDefinition } from "./option.js";

export interface Action {
  readonly name: string;
  /** The one word after the name, as help calls it: "TTL". Without it there is none. */
  readonly word?: string;
  readonly says: string;
  readonly options: readonly OptionDefinition[];
  run(invocation: Invocation, word: string): Promise<ExitCode>;
}

/** "lease grant TTL [--id <id>]", without "kvctl" and the verb. */
export function actionUsage({ name, word, options }: Action): string {
  const flags = options.map((option) => `[${option.flags}]`);
  return [name, ...(word === undefined ? [] : [word]), ...flags].join(" ");
}

/** @throws UsageError that says what to type instead. */
export function runAction(invocation: Invocation, actions: readonly Action[]): Promise<ExitCode> {
  const { verb, words, flags } = invocation;
  const [name, word, ...rest] = words;
  const action = actions.find((known) => known.name === name);
  if (action === undefined) {
    const names = actions.map((known) => known.name).join(", ");
    const said = name === undefined ? "needs an action" : `has no "${name}"`;
    throw new UsageError(`${verb} ${said}; it has ${names}; see kvctl help ${verb}`);
  }
  const usage = `kvctl ${verb} ${actionUsage(action)}`;
  const excess = action.word === undefined ? word : rest[0];
  if (excess !== undefined) throw new UsageError(`"${excess}" is too much: ${usage}`);
  if (action.word !== undefined && word === undefined) {
    throw new UsageError(`${verb} ${action.name} needs ${withArticle(action.word)}: ${usage}`);
  }
  for (const option of actions.flatMap(({ options }) => options)) {
    if (action.options.includes(option) || !flags.given(nameOf(option))) continue;
    throw new UsageError(`--${nameOf(option)} does not go with ${verb} ${action.name}: ${usage}`);
  }
  return action.run(invocation, word ?? "");
}

function nameOf({ flags }: OptionDefinition): string {
  return /--([a-z-]+)/.exec(flags)?.[1] ?? "";
}

function withArticle(noun: string): string {
  return `${/^[AEIOU]/.test(noun) ? "an" : "a"} ${noun}`;
}
