// Asking a server once, on a connection of its own: does it take calls, and how is it?

import type { Health, Kvd, Status } from "../../index.js";

const ASK_MS = 5_000;

/** By the health service; false for whatever else may listen there. */
export async function isServing(address: string): Promise<boolean> {
  const health = await asked<Health>(address, (kv) => kv.maintenance.health());
  return health === "serving";
}

/** Undefined when there is no kvd that answers. */
export function statusOf(address: string): Promise<Status | undefined> {
  return asked(address, (kv) => kv.maintenance.status());
}

async function asked<T>(address: string, ask: (kv: Kvd) => Promise<T>): Promise<T | undefined> {
  const { connect } = await import("../../index.js");
  const kv = connect(address, { timeout: ASK_MS, retry: false, batching: false });
  try {
    return await ask(kv);
  } catch {
    return undefined;
  } finally {
    await kv.close();
  }
}
