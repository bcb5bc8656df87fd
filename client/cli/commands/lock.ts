// kvctl lock: a mutex with a queue, for as long as a command runs.

import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { serverEnvironment } from "../locks/environment.js";
import { heldValue, ourselves } from "../locks/holder.js";
import { lockWords, refuseBeside, WAITING_OPTIONS, waitingFrom } from "../locks/lock-flags.js";
import { lineText } from "../terminal-text.js";
import { variable } from "../watch-command.js";

export const lockCommand: CommandDefinition = {
  usage: "NAME [-- COMMAND…]",
  details: [
    "Runs a command while nobody else has the lock, and ends with the command's exit code, or 128 and",
    "the number of the signal that ended it. Who comes later waits, and gets it in the order of",
    "arrival: a key NAME/LEASE for each, the oldest has the lock. etcdctl lock, and clients of etcd's",
    "locks, of the same name wait in the same queue. INT, TERM, HUP and QUIT are passed on to the",
    "command; its output and input are kvctl's.",
    "The lock ends with kvctl at once, and --ttl after kvctl or its machine died. A command whose lock",
    "is lost (the lease is gone, the key was deleted) is stopped: TERM, then KILL. When the server does",
    "not answer that happens a quarter of the ttl (5 s at most) before the lease may end, and kvctl",
    "ends with 3; in the other cases with 1. A kvctl that is killed takes its command with it.",
    "Machines can stand still, though, and wake up late. So let what you write be guarded: the command",
    "has KVCTL_LOCK_KEY and KVCTL_LOCK_REVISION, which grows from holder to holder, and a txn that",
    "compares them fails once the lock is lost. It also has KVCTL_LOCK_NAME and KVCTL_LOCK_LEASE.",
    "Without a command it prints the key and the revision, and holds the lock until interrupted.",
    "--status ends with 1 when nobody has it.",
  ].join(" "),
  options: WAITING_OPTIONS,
  examples: [
    { run: "kvctl lock deploy -- ./deploy.sh", says: "one at a time, all over the place" },
    {
      run: "kvctl lock nightly --try -E 0 -- ./backup.sh",
      says: "on one of many machines; the others have nothing to do",
    },
    { run: "kvctl lock deploy --wait 30s -- ./deploy.sh", says: "give up, with 1, after a while" },
    { run: "kvctl lock deploy --status --output table", says: "who has it, and who waits" },
    {
      run: `kvctl txn "create($KVCTL_LOCK_KEY) = $KVCTL_LOCK_REVISION" -- put state done`,
      says: "in the command: write only while the lock is held",
    },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const { name, rest, command } = lockWords(invocation);
  if (rest[0] !== undefined) {
    throw new UsageError(`"${rest[0]}" is too much: kvctl lock NAME -- COMMAND`);
  }
  const waiting = waitingFrom(invocation);
  const { writeHeld, writeMembers } = await import("../locks/queue-output.js");
  if (flags.on("status")) {
    refuseBeside(invocation, "status", ["ttl", "wait", "try", "conflict-exit-code"]);
    const { LockQueue } = await import("../locks/queue.js");
    const queue = new LockQueue(await invocation.connect(), name);
    const members = await queue.members({ keysOnly: false, signal });
    await writeMembers(output, { kind: "lock", name, members });
    if (members.length === 0) output.note(`nobody has lock ${lineText(name)}`);
    return members.length === 0 ? EXIT.negative : EXIT.ok;
  }
  const { LockJob } = await import("../locks/lock-job.js");
  const holder = ourselves();
  return LockJob.run(invocation, {
    ...{ ...waiting, noun: "lock", name, command, again: false },
    value: JSON.stringify(holder),
    heldValue: () => heldValue(holder),
    environment: ({ keyBytes, createRevision, leaseId }) => ({
      ...variable("KVCTL_LOCK_NAME", name),
      ...variable("KVCTL_LOCK_KEY", keyBytes),
      KVCTL_LOCK_REVISION: String(createRevision),
      KVCTL_LOCK_LEASE: String(leaseId),
      ...serverEnvironment(invocation),
    }),
    announce: async (place) => {
      await writeHeld(output, name, place);
      output.note(`holding lock ${lineText(name)} until interrupted`);
    },
  });
}
