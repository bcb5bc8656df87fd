// kvctl ttl: how long a key still lives.

import type { LeaseInfo, Leases } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { roughText, secondsText } from "../duration.js";
import { isClientError } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { bytesForm, leaseInfoForm } from "../json-forms.js";
import { keyBytesOf, NoSuchKey, onlyKey } from "../key-argument.js";
import { KEY_ENCODING } from "../selectors.js";
import { tableText } from "../table.js";
import { lineText } from "../terminal-text.js";
import { isJson } from "../value-output.js";

export const ttlCommand: CommandDefinition = {
  usage: "KEY",
  details: [
    "Prints what remains until the key's lease ends and the key with it, such as 1h59m: a duration that",
    "--ttl takes. `none` is printed for a key without a lease. An absent key ends with 1. It is exact",
    "with --output json.",
  ].join(" "),
  options: [KEY_ENCODING],
  examples: [
    { run: "kvctl ttl session/42", says: "what remains" },
    { run: "kvctl ttl session/42 --output json", says: "with the lease, and what was granted" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { output, signal } = invocation;
  const key = onlyKey(invocation);
  const kv = await invocation.connect();
  const entry = await kv.get(key, { signal });
  if (entry === undefined) throw new NoSuchKey(key);
  const lease = entry.leaseId === 0n ? undefined : await infoOf(kv.lease, entry.leaseId, signal);
  // It ended between the two questions.
  if (lease === "gone") throw new NoSuchKey(key);
  if (isJson(output)) {
    const form = lease === undefined ? { ttl: null } : leaseInfoForm(lease);
    await output.json({ ...bytesForm("key", keyBytesOf(key)), ...form });
    return EXIT.ok;
  }
  const text = lease === undefined ? "none" : ttlText(lease.ttlMs);
  if (output.format === "table") {
    const granted = lease === undefined ? "" : secondsText(lease.grantedTtlMs);
    const row = [lineText(entry.keyBytes), text, granted, lease === undefined ? "" : `${lease.id}`];
    await output.line(await tableText(["key", "ttl", "granted", "lease"], [row]));
  } else if (output.format === "raw") await output.write(text);
  else await output.line(text);
  return EXIT.ok;
}

/** "1h59m": for people, and a duration that kvctl takes. */
function ttlText(ms: number): string {
  return roughText(ms).replaceAll(" ", "");
}

async function infoOf(
  leases: Pick<Leases, "timeToLive">,
  id: bigint,
  signal: AbortSignal,
): Promise<LeaseInfo | "gone"> {
  try {
    return await leases.timeToLive(id, { signal });
  } catch (error) {
    if (isClientError(error) && error.reason === "LEASE_NOT_FOUND") return "gone";
    throw error;
  }
}
