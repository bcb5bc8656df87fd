// Row 12: a process that starts with an empty store and answers, and kvctl get from the shell, each
// beside a Node that does nothing.

import { spawnSync } from "node:child_process";
import type { Bench, Case } from "../case.js";
import { getMessage, keyAt, putMessage } from "../fixtures.js";
import { H2Connection } from "../load/h2-connection.js";
import { callUnary } from "../load/unary-call.js";
import { KVD } from "../methods.js";
import { onCore, SERVER_CORE } from "../servers/cores.js";
import { KVCTL } from "../servers/kvd.js";

const TIMES = 5;
const START_EXTRA_MS = 150;
const KVCTL_EXTRA_MS = 120;

/** Runs to its end, on the core of the servers, whose work this is; in milliseconds. */
function runMs(words: readonly string[]): number {
  const [command = "", ...rest] = onCore(SERVER_CORE, words);
  const began = performance.now();
  const { status, stderr } = spawnSync(command, rest, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
  return performance.now() - began;
}

async function firstAnswerMs(bench: Bench, dataDir: string): Promise<number> {
  const began = performance.now();
  const server = await bench.kvd({ dataDir });
  const connection = await H2Connection.open(server.port);
  await callUnary(connection, KVD.get, getMessage(1));
  const took = performance.now() - began;
  connection.close();
  await server.stop();
  return took;
}

export const processStartCase: Case = {
  name: "process-start",
  about: "an empty kvd until its first answer, and kvctl get; beside node -e 0",
  goals: [
    {
      row: 12,
      text: "first answer, of node -e 0 and 150 ms",
      over: "kvd, first answer",
      under: `node -e 0, and ${START_EXTRA_MS} ms`,
      bound: { atMost: 1 },
    },
    {
      row: 12,
      text: "kvctl get, of node -e 0 and 120 ms",
      over: "kvctl get",
      under: `node -e 0, and ${KVCTL_EXTRA_MS} ms`,
      bound: { atMost: 1 },
    },
  ],
  async run(bench) {
    const { node, rounds } = bench.options;
    const served = await bench.kvd();
    const connection = await H2Connection.open(served.port);
    await callUnary(connection, KVD.put, putMessage(1));
    connection.close();
    const get = [node, KVCTL, "--server", `127.0.0.1:${served.port}`, "get", keyAt(1)];
    for (let time = 0; time < rounds * TIMES; time += 1) {
      const bare = runMs([node, "-e", "0"]);
      bench.record("node -e 0", "ms", bare);
      bench.record(`node -e 0, and ${START_EXTRA_MS} ms`, "ms", bare + START_EXTRA_MS);
      bench.record(`node -e 0, and ${KVCTL_EXTRA_MS} ms`, "ms", bare + KVCTL_EXTRA_MS);
      bench.record("kvctl get", "ms", runMs(get));
      const dataDir = bench.path(`empty-${time}`);
      bench.record("kvd, first answer", "ms", await firstAnswerMs(bench, dataDir));
    }
  },
};
