// kvctl touch: lets a key live on, and leaves its value alone.

import type { Entry, Kvd } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { untilUnchanged } from "../conflicts.js";
import { roughText, secondsText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { atMostOne } from "../flags.js";
import { bytesForm, leaseForm } from "../json-forms.js";
import { keyBytesOf, NoSuchKey, onlyKey, quotedKey } from "../key-argument.js";
import { KEY_ENCODING } from "../selectors.js";
import { isJson } from "../value-output.js";

export const touchCommand: CommandDefinition = {
  usage: "KEY",
  details: [
    "Renews the lease of the key to its full time, which needs no new revision; all other keys of that",
    "lease live on with it. With --ttl the key gets a ttl of its own instead, and with --persist none:",
    "its value is written once more, unless somebody else changes it meanwhile. A key without a lease",
    "ends with 1 where neither is given, and so does one that is absent.",
  ].join(" "),
  options: [
    { flags: "--ttl <duration>", description: "the key lives so long from now: 1s to 10 years" },
    { flags: "--persist", description: "the key leaves its lease, and lives on" },
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl touch session/42", says: "as long again as it was granted" },
    { run: "kvctl touch session/42 --ttl 1h", says: "an hour from now" },
    { run: "kvctl touch session/42 --persist", says: "for good" },
  ],
  run,
};

interface Touched {
  readonly leaseId: bigint;
  readonly ttlMs: number | undefined;
  /** Undefined when nothing was written. */
  readonly revision: number | undefined;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, settings, signal } = invocation;
  const key = onlyKey(invocation);
  atMostOne(flags, ["ttl", "persist"]);
  const ttl = flags.durationMs("ttl");
  const kv = await invocation.connect();
  const retry = { signal, timeoutMs: settings.timeoutMs };
  const { leaseId, ttlMs, revision } = await untilUnchanged(quotedKey(key), retry, async () => {
    const entry = await kv.get(key, { signal });
    if (entry === undefined) throw new NoSuchKey(key);
    if (ttl === undefined && !flags.on("persist")) return renewed(kv, entry, signal);
    return rewritten(kv, entry, { ttl, signal });
  });
  if (isJson(output)) {
    const form = { ttl: ttlMs === undefined ? null : secondsText(ttlMs), ...leaseForm(leaseId) };
    const written = revision === undefined ? {} : { revision };
    await output.json({ ...bytesForm("key", keyBytesOf(key)), ...form, ...written });
  } else if (!output.quiet && output.format !== "raw") {
    const written = revision === undefined ? "" : `, revision ${revision}`;
    await output.line(`ttl ${ttlMs === undefined ? "none" : roughText(ttlMs)}${written}`);
  }
  return EXIT.ok;
}

/** Undefined when the lease ended since: then the key has, too, or has another. */
async function renewed(kv: Kvd, entry: Entry, signal: AbortSignal): Promise<Touched | undefined> {
  const { leaseId, keyBytes } = entry;
  if (leaseId === 0n) {
    const text = `${quotedKey(keyBytes)} has no lease that could be renewed; --ttl gives it one`;
    throw new Failure(EXIT.negative, text);
  }
  const ttlMs = await kv.lease.keepAlive(leaseId, { signal });
  return ttlMs === undefined ? undefined : { leaseId, ttlMs, revision: undefined };
}

/** @throws KvdClientError PRECONDITION_FAILED when somebody else was faster. */
async function rewritten(
  kv: Kvd,
  entry: Entry,
  { ttl, signal }: { readonly ttl: number | undefined; readonly signal: AbortSignal },
): Promise<Touched> {
  const expected = { expectedModRevision: entry.modRevision, signal };
  const options = ttl === undefined ? expected : { ...expected, ttl };
  const { leaseId, ttlMs, revision } = await kv.put(entry.keyBytes, entry.bytes, options);
  return { leaseId, ttlMs, revision };
}
