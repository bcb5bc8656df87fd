// kvctl lease: times to live that keys attach to, as things of their own.

import { type Action, runAction } from "../actions.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { defined } from "../defined.js";
import { msFromFlag, roughText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { leaseIdFromText } from "../flags.js";
import { LeaseWriter } from "../lease-output.js";
import { keepRenewing, renewOnce } from "../lease-renewal.js";
import type { OptionDefinition } from "../option.js";

const ID: OptionDefinition = {
  flags: "--id <id>",
  description: "grant: the id it shall have; else the server chooses one",
};
const KEYS: OptionDefinition = { flags: "--keys", description: "info: its keys too" };
const ONCE: OptionDefinition = {
  flags: "--once",
  description: "keep-alive: renew it once and end",
};

const ACTIONS: readonly Action[] = [
  { name: "grant", word: "TTL", says: "make a lease, print its id", options: [ID], run: grant },
  { name: "list", says: "all leases: id, what remains, what was granted", options: [], run: list },
  { name: "info", word: "ID", says: "what remains of a lease", options: [KEYS], run: info },
  {
    name: "keep-alive",
    word: "ID",
    says: "renew it, again and again, until interrupted",
    options: [ONCE],
    run: keepAlive,
  },
  { name: "revoke", word: "ID", says: "end it, and delete its keys", options: [], run: revoke },
];

export const leaseCommand: CommandDefinition = {
  usage: "grant TTL | list | info ID | keep-alive ID | revoke ID",
  details: [
    "A lease is a time to live that any number of keys share: kvctl put KEY VALUE --lease ID. When it",
    "ends, by itself or because it is revoked, its keys are deleted in one revision. TTL is 1s to 10",
    "years, such as 30s or 1h30m. An ID is a whole number but 0; in JSON it is text, because it may",
    "exceed 2^53. A lease that is not there ends with 1. keep-alive renews when a third of the time is",
    "over; it rides through a server that is away for less than the ttl, and ends with 1 when the",
    "lease is gone. Interrupting it leaves the lease to run out.",
  ].join(" "),
  options: [ID, KEYS, ONCE],
  actions: ACTIONS,
  examples: [
    { run: "kvctl lease grant 30s", says: "a lease; its id alone goes to standard output" },
    { run: 'kvctl put worker/1 up --lease "$id"', says: "a key that lives as long as it does" },
    { run: 'kvctl lease keep-alive "$id" --quiet &', says: "as long as the script runs" },
    { run: 'kvctl lease revoke "$id"', says: "end it now; its keys go" },
    { run: "kvctl lease list --output jsonl | jq -r .lease", says: "all ids" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  if (invocation.flags.text("output") === "raw") {
    throw new UsageError("lease writes text, json, jsonl or table, not raw");
  }
  return runAction(invocation, ACTIONS);
}

async function grant(invocation: Invocation, word: string): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const ttlMs = msFromFlag("TTL", word);
  const given = flags.text("id");
  const id = given === undefined ? undefined : leaseIdOf("--id", given);
  const kv = await invocation.connect();
  const lease = await kv.lease.grant(ttlMs, { ...defined({ id }), signal });
  await new LeaseWriter(output).granted(lease);
  return EXIT.ok;
}

async function list(invocation: Invocation): Promise<ExitCode> {
  const { output, signal } = invocation;
  const kv = await invocation.connect();
  const writer = new LeaseWriter(output);
  for await (const lease of kv.lease.list({ signal })) await writer.row(lease);
  await writer.end();
  return EXIT.ok;
}

async function info(invocation: Invocation, word: string): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const id = leaseIdOf("ID", word);
  const withKeys = flags.on("keys");
  const kv = await invocation.connect();
  const lease = await kv.lease.timeToLive(id, { withKeys, signal });
  await new LeaseWriter(output).info(lease, { withKeys });
  return EXIT.ok;
}

async function keepAlive(invocation: Invocation, word: string): Promise<ExitCode> {
  const { flags, output, settings, signal } = invocation;
  const id = leaseIdOf("ID", word);
  const { lease } = await invocation.connect();
  const writer = new LeaseWriter(output);
  if (flags.on("once")) {
    await writer.renewed(id, await renewOnce(lease, id, { signal }), { last: true });
    return EXIT.ok;
  }
  await keepRenewing(lease, id, {
    signal,
    timeoutMs: settings.timeoutMs,
    renewed: async (ttlMs) => {
      await writer.renewed(id, ttlMs, { last: false });
      await output.flush();
    },
    lost: (leftMs) => output.note(`no answer; trying again, for ${roughText(leftMs)} yet`),
  });
  return signal.reason as ExitCode;
}

async function revoke(invocation: Invocation, word: string): Promise<ExitCode> {
  const { output, signal } = invocation;
  const id = leaseIdOf("ID", word);
  const kv = await invocation.connect();
  await new LeaseWriter(output).revoked(id, await kv.lease.revoke(id, { signal }));
  return EXIT.ok;
}

function leaseIdOf(what: string, text: string): bigint {
  const id = leaseIdFromText(what, text);
  if (id === 0n) throw new UsageError(`${what} is 0, which stands for no lease`);
  return id;
}
