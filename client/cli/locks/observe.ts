// kvctl elect NAME --observe: a line for each leader.

import type { Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { bytesForm } from "../json-forms.js";
import type { Output } from "../output.js";
import { lineText } from "../terminal-text.js";
import { type Observed, observed } from "./observation.js";
import { LockQueue } from "./queue.js";

export async function observe(invocation: Invocation, name: Uint8Array): Promise<ExitCode> {
  const { flags, output, settings, signal } = invocation;
  const kv = await invocation.connect();
  // Fails at once when there is no server; the watch itself would wait for one.
  await kv.maintenance.status({ signal });
  const onBreak = () => output.note(`lost kvd at ${settings.server}; waiting for it to be back`);
  let left = flags.number("max") || Number.POSITIVE_INFINITY;
  for await (const change of observed(kv, new LockQueue(kv, name), { signal, onBreak })) {
    await writeLeader(output, change);
    await output.flush();
    left -= 1;
    if (left === 0) return EXIT.ok;
  }
  return signal.reason as ExitCode;
}

async function writeLeader(output: Output, { leader, revision }: Observed): Promise<void> {
  const { format } = output;
  if (format === "raw") {
    if (leader !== undefined) await output.write(leader.bytes);
  } else if (format === "json" || format === "jsonl") {
    const who =
      leader === undefined
        ? { type: "none", revision }
        : {
            type: "leader",
            ...bytesForm("value", leader.bytes),
            ...bytesForm("key", leader.keyBytes),
            revision: leader.createRevision,
          };
    await output.line(output.jsonText(JSON.stringify(who)));
  } else if (leader === undefined) {
    await output.line(`${String(revision).padStart(7)} nobody`);
  } else {
    const { createRevision, keyBytes, bytes } = leader;
    const value = output.style("bold", lineText(bytes));
    await output.line(`${String(createRevision).padStart(7)} ${value}\t${lineText(keyBytes)}`);
  }
}
