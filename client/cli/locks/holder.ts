// Who is in a queue: what kvctl writes into the values of locks, for --status and for those who
// wait. Keys of other tools have other values, and then only the lease is known.

import { hostname, userInfo } from "node:os";
import type { Entry } from "../../index.js";
import { objectFromJson } from "../json-forms.js";
import { lineText } from "../terminal-text.js";

export interface Holder {
  readonly host?: string;
  readonly pid?: number;
  readonly user?: string;
  /** When it began to wait, and when it got the lock, by the clock of its machine. */
  readonly since?: string;
  readonly held?: string;
}

export function ourselves(): Holder {
  const host = hostname();
  return { host, pid: process.pid, ...userName(), since: new Date().toISOString() };
}

/** The value of a key whose lock was just got. */
export function heldValue(holder: Holder): string {
  return JSON.stringify({ ...holder, held: new Date().toISOString() });
}

/** "build-7:4242", or whatever is known. */
export function nameOfHolder({ host, pid }: Holder, { leaseId }: Pick<Entry, "leaseId">): string {
  if (host === undefined) return `lease ${leaseId}`;
  return lineText(Buffer.from(pid === undefined ? host : `${host}:${pid}`));
}

export function holderFrom(value: Uint8Array): Holder {
  try {
    const { host, pid, user, since, held } = objectFromJson(value);
    return {
      ...(typeof host === "string" ? { host } : {}),
      ...(typeof pid === "number" ? { pid } : {}),
      ...(typeof user === "string" ? { user } : {}),
      ...(typeof since === "string" ? { since } : {}),
      ...(typeof held === "string" ? { held } : {}),
    };
  } catch {
    return {};
  }
}

/** Some containers have users without a name. */
function userName(): Pick<Holder, "user"> {
  try {
    return { user: userInfo().username };
  } catch {
    return {};
  }
}
