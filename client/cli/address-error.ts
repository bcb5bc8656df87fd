// What is said when the address of a server is none.

import { UsageError } from "./failure.js";
import type { Settings } from "./settings.js";

/** The client refuses an address as a TypeError; anything else stays what it is. */
export function addressError(
  error: unknown,
  settings: Pick<Settings, "origins" | "context">,
): unknown {
  if (!(error instanceof TypeError)) return error;
  return new UsageError(`${whereOf(settings)}: ${error.message}`, { cause: error });
}

function whereOf({ origins, context }: Pick<Settings, "origins" | "context">): string {
  return origins.server === "context"
    ? `the server of the context ${context}`
    : "--server (or KVCTL_SERVER)";
}
