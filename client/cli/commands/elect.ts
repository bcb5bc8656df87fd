// kvctl elect: one of many leads, for as long as its command runs; all others know who.

import { hostname } from "node:os";
import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { serverEnvironment } from "../locks/environment.js";
import { lockWords, refuseBeside, WAITING_OPTIONS, waitingFrom } from "../locks/lock-flags.js";
import { lineText } from "../terminal-text.js";
import { INPUT_OPTION, readInput } from "../values.js";
import { variable } from "../watch-command.js";

const WAITING = ["ttl", "wait", "try", "conflict-exit-code", "again", "input"];

export const electCommand: CommandDefinition = {
  usage: "NAME [VALUE] [-- COMMAND…]",
  details: [
    "Stands for the lead, waits for it, and runs a command while it leads, as kvctl lock does (see",
    "there for signals, exit codes, --ttl, and what happens when the lead is lost). VALUE, this host",
    "and process unless told, is what the others see. The end of the command resigns. With --again, a",
    "lead that was lost is stood for again, and the command started anew. The command has",
    "KVCTL_ELECT_NAME, _KEY, _VALUE, _LEASE and _REVISION, which grows from leader to leader; a txn",
    "that compares the create revision of the key with it writes only as long as it leads. etcdctl",
    "elect, and clients of etcd's elections, of the same name stand in the same one.",
    "--observe prints the leader, and every other one from then on. --status ends with 1 when nobody",
    "leads.",
  ].join(" "),
  options: [
    ...WAITING_OPTIONS,
    INPUT_OPTION,
    { flags: "--again", description: "stand for it again when the lead was lost" },
    { flags: "--observe", description: "print who leads, as it changes" },
    { flags: "--max <count>", description: "with --observe: end after so many" },
  ],
  examples: [
    { run: 'kvctl elect web "$HOSTNAME" -- ./leader.sh', says: "lead, or stand by" },
    { run: "kvctl elect web --again -- ./leader.sh", says: "and again, over losses of the lead" },
    { run: "kvctl elect web --observe", says: "who leads, as it changes" },
    { run: "kvctl elect web --status --output json", says: "who leads, and who stands by" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const { name, rest, command } = lockWords(invocation);
  const waiting = waitingFrom(invocation);
  for (const flag of ["observe", "status"]) {
    if (!flags.on(flag)) continue;
    const other = flag === "observe" ? ["status"] : ["observe", "max"];
    refuseBeside(invocation, flag, [...other, ...WAITING]);
    if (rest[0] !== undefined) throw new UsageError(`--${flag} takes no VALUE: "${rest[0]}"`);
  }
  if (flags.on("observe")) {
    const { observe } = await import("../locks/observe.js");
    return observe(invocation, name);
  }
  if (flags.given("max")) throw new UsageError("--max goes with --observe");
  const { writeHeld, writeMembers } = await import("../locks/queue-output.js");
  if (flags.on("status")) {
    const { LockQueue } = await import("../locks/queue.js");
    const queue = new LockQueue(await invocation.connect(), name);
    const members = await queue.members({ keysOnly: false, signal });
    await writeMembers(output, { kind: "election", name, members });
    if (members.length === 0) output.note(`nobody leads ${lineText(name)}`);
    return members.length === 0 ? EXIT.negative : EXIT.ok;
  }
  const value = await valueToShow(invocation, rest);
  const { LockJob } = await import("../locks/lock-job.js");
  return LockJob.run(invocation, {
    ...{ ...waiting, noun: "election", name, command, again: flags.on("again"), value },
    heldValue: () => undefined,
    environment: ({ keyBytes, createRevision, leaseId }) => ({
      ...variable("KVCTL_ELECT_NAME", name),
      ...variable("KVCTL_ELECT_KEY", keyBytes),
      ...variable("KVCTL_ELECT_VALUE", Buffer.from(value)),
      KVCTL_ELECT_REVISION: String(createRevision),
      KVCTL_ELECT_LEASE: String(leaseId),
      ...serverEnvironment(invocation),
    }),
    announce: async (place) => {
      await writeHeld(output, name, place);
      output.note(`leading ${lineText(name)} until interrupted`);
    },
  });
}

async function valueToShow(
  { flags }: Invocation,
  [value, excess]: readonly string[],
): Promise<string | Uint8Array> {
  if (excess !== undefined) {
    throw new UsageError(`elect takes NAME VALUE; "${excess}" is too much (quote blanks)`);
  }
  const file = flags.text("input");
  if (file !== undefined && value !== undefined) {
    throw new UsageError("VALUE and --input exclude each other");
  }
  if (file !== undefined || value === "-") return readInput(file ?? "-");
  return value ?? `${hostname()}:${process.pid}`;
}
