// What is said when the address of a server is none.

import { UsageError } from "./failure.js";

/** The client refuses an address as a TypeError; anything else stays what it is. */
export function addressError(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  return new UsageError(`--server (or KVCTL_SERVER): ${error.message}`, { cause: error });
}
