// kvctl ping: does the server answer?

import type { CommandDefinition, Invocation } from "../command.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";

export const pingCommand: CommandDefinition = {
  usage: "",
  details: [
    "Asks for one answer and prints `PONG 0.6ms`, with the time that took; before that, it connects.",
    "No server ends with 3, one that is silent with 4: with --quiet, that is all.",
  ].join(" "),
  options: [],
  examples: [
    { run: "kvctl ping", says: "is it there?" },
    { run: "kvctl ping --quiet --timeout 1s && echo up", says: "in a script" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, output, settings, signal } = invocation;
  if (words[0] !== undefined) throw new UsageError(`ping takes no words, not "${words[0]}"`);
  const kv = await invocation.connect();
  // The first answer has the connecting in it.
  await kv.maintenance.status({ signal });
  const startedMs = performance.now();
  await kv.maintenance.status({ signal });
  const ms = Number((performance.now() - startedMs).toFixed(2));
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ server: settings.server, ms });
  } else if (!output.quiet) await output.line(`PONG ${ms}ms`);
  return EXIT.ok;
}
