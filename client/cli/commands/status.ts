// kvctl status: how the server is.

import type { Status } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { roughText } from "../duration.js";
import { engineText } from "../engine-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { tableText } from "../table.js";
import { plainLine } from "../terminal-text.js";
import { bytesText } from "../units.js";

export const statusCommand: CommandDefinition = {
  usage: "",
  details: "Prints what the server tells of itself; --output json has all of it, limits included.",
  options: [
    { flags: "--limits", description: "show the limits in force, and the flags that set them" },
  ],
  examples: [
    { run: "kvctl status", says: "for people" },
    { run: "kvctl status --output json | jq .revision", says: "for programs" },
    { run: "kvctl status --server unix:/run/kvd.sock", says: "of another server" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, output, settings, signal } = invocation;
  if (words[0] !== undefined) throw new UsageError(`status takes no words, not "${words[0]}"`);
  const kv = await invocation.connect();
  const status = await kv.maintenance.status({ signal });
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ server: settings.server, ...status });
    return EXIT.ok;
  }
  const rows = statusRows(status, settings.server);
  if (output.format === "table") {
    await output.line(await tableText(["what", "value"], rows));
  } else {
    for (const [name, value] of rows) await output.line(`${`${name}:`.padEnd(18)} ${value}`);
  }
  if (flags.on("limits")) await output.line(await limitsTable(status));
  return EXIT.ok;
}

function statusRows(status: Status, server: string): [string, string][] {
  const list = (items: readonly string[]) => (items.length === 0 ? "none" : items.join(", "));
  const rows: [string, string][] = [
    ["server", server],
    ["version", status.version],
    ["engine", engineText(status)],
    ["store id", status.storeId],
    ["revision", String(status.revision)],
    ["compact revision", String(status.compactRevision)],
    ["durable revision", String(status.durableRevision)],
    ["keys", String(status.keys)],
    ["leases", String(status.leases)],
    ["watchers", String(status.watchers)],
    ["live", bytesText(status.liveBytes)],
    ["history", bytesText(status.historyBytes)],
    ["disk", bytesText(status.diskBytes)],
    ["fsync", status.fsyncPolicy],
    ["uptime", roughText(status.uptimeMs)],
    ["problems", list(status.problems)],
    ...(status.capabilities.length === 0
      ? []
      : [["engine lacks", list(status.capabilities)] as [string, string]]),
  ];
  return rows.map(([name, value]) => [name, plainLine(value)]);
}

function limitsTable(status: Status): Promise<string> {
  const rows = status.limits.map(({ name, value, unit, flag }) => [
    name,
    unit === "bytes" ? bytesText(value) : `${value} ${unit}`,
    flag,
  ]);
  return tableText(["limit", "value", "flag of kvd"], rows, { right: [1] });
}
