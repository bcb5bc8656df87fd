// So that kvctl in a command speaks to the server that the lock is of.

import type { Invocation } from "../command.js";

/** Nothing where the command finds the same server by itself. */
export function serverEnvironment({ flags, settings }: Invocation): Record<string, string> {
  return flags.given("server") ? { KVCTL_SERVER: settings.server } : {};
}
