// Which context a command line runs in: --context, KVCTL_CONTEXT, or what `kvctl context use` said.
//
// Most people have none, and then this costs one look for a file: what reads it is loaded only when
// it is there, or when a context was named.

import { existsSync } from "node:fs";
import { UsageError } from "../failure.js";
import type { Context } from "../settings.js";
import { contextPath, type Environment } from "../user-folders.js";

/** Undefined: none. @throws UsageError for one that is not there. */
export async function chosenContext(
  values: Readonly<Record<string, unknown>>,
  environment: Environment,
): Promise<Context | undefined> {
  const { context: flag } = values;
  const { KVCTL_CONTEXT: variable } = environment;
  const named = typeof flag === "string" ? flag : variable === "" ? undefined : variable;
  const path = contextPath(environment);
  if (named === undefined && !existsSync(path)) return undefined;
  const { NO_CONTEXT, readContextFile } = await import("./context-file.js");
  if (named === NO_CONTEXT) return undefined;
  const { current, contexts } = readContextFile(path);
  const name = named ?? current;
  if (name === NO_CONTEXT) return undefined;
  const settings = contexts.get(name);
  if (settings !== undefined) return { name, fromFlag: typeof flag === "string", settings };
  const what = named === undefined ? `the context in use, ${name},` : `the context ${name}`;
  throw new UsageError(`${what} is not there; kvctl context lists them, kvctl context use chooses`);
}
