// kvctl watch --checkpoint as a process that is ended in every way: what several runs print
// together is the history, without a gap, and without a double unless it was killed.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect, type Kvd } from "../../client/index.js";
import {
  KVCTL,
  NODE,
  RunningProcess,
  type ServerSetup,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

async function setUp(t: ExecutionContext, setup: ServerSetup = {}) {
  const server = await startKvd(t, setup);
  const kv = connect(server.address);
  t.teardown(() => kv.close());
  const checkpoint = join(await temporaryFolder(t), "checkpoint");
  const args = ["watch", "--prefix", "k", "--rev", "1", "--checkpoint", checkpoint];
  const environment = { KVCTL_SERVER: server.address };
  const watch = (...more: string[]) =>
    new RunningProcess(t, [NODE, KVCTL, ...args, "--output", "jsonl", ...more], { environment });
  return { server, kv, checkpoint, watch };
}

/** Revisions that whole lines of the output tell. */
function revisionsOf(stdout: string): number[] {
  const lines = stdout.slice(0, stdout.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line).revision as number);
}

/** Writes until it is told to stop; the last revision. */
async function writeOn(kv: Kvd, signal: AbortSignal): Promise<number> {
  let last = 0;
  while (!signal.aborted) ({ revision: last } = await kv.put("k", "v"));
  return last;
}

test("runs that are killed leave no change out, in order", async (t) => {
  const { kv, watch } = await setUp(t);
  const enough = new AbortController();
  const writing = writeOn(kv, enough.signal);
  const runs: number[][] = [];
  for (let run = 0; run < 5; run += 1) {
    const process = watch();
    const seen = runs.at(-1)?.at(-1) ?? 1;
    await process.output((stdout) => (revisionsOf(stdout).at(-1) ?? 0) > seen + 20 || undefined);
    await process.kill();
    runs.push(revisionsOf(process.stdout));
  }
  enough.abort();
  const last = await writing;
  const rest = watch();
  await rest.output((stdout) => revisionsOf(stdout).at(-1) === last || undefined);
  runs.push(revisionsOf(rest.stdout));
  let next = 2;
  for (const revisions of runs) {
    const [first = 0] = revisions;
    t.true(first <= next, `${first} after ${next - 1}`);
    t.deepEqual(
      revisions,
      revisions.map((_, index) => first + index),
    );
    next = Math.max(next, (revisions.at(-1) ?? 0) + 1);
  }
  t.is(next, last + 1);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`a watch that is ended by ${signal} goes on without a double`, async (t) => {
    const { kv, watch } = await setUp(t);
    const enough = new AbortController();
    const writing = writeOn(kv, enough.signal);
    const seen: number[] = [];
    for (let run = 0; run < 3; run += 1) {
      const process = watch();
      await process.output((stdout) => revisionsOf(stdout).length > 20 || undefined);
      process.signal(signal);
      const { stdout } = await process.ended;
      t.true(stdout.endsWith("\n"));
      seen.push(...revisionsOf(stdout));
    }
    enough.abort();
    await writing;
    t.deepEqual(
      seen,
      seen.map((_, index) => 2 + index),
    );
  });
}

test("a command that is killed in the middle runs again, one that ended does not", async (t) => {
  const { kv, checkpoint, watch } = await setUp(t);
  for (let index = 0; index < 2; index += 1) await kv.put("k", "v");
  const script =
    'echo "$KVCTL_WATCH_REVISION"; test "$KVCTL_WATCH_REVISION" = 2 || tail -f /dev/null';
  const process = watch("--", "sh", "-c", `${script} >/dev/null`);
  await process.output((stdout) => stdout.includes("3\n") || undefined);
  await process.kill();
  t.is(process.stdout, "2\n3\n");
  t.like(JSON.parse(await readFile(checkpoint, "utf8")), { revision: 2, events: 1 });
  const again = watch("--max", "1", "--", "sh", "-c", 'echo "$KVCTL_WATCH_REVISION"');
  t.is((await again.ended).stdout, "3\n");
});

test("the server's end is told with the way to go on", async (t) => {
  const { server, kv, checkpoint, watch } = await setUp(t);
  await kv.put("k", "1");
  const process = watch("--no-reconnect");
  await process.output((stdout) => stdout.includes("\n") || undefined);
  server.process.signal("SIGTERM");
  const { exitCode, stderr } = await process.ended;
  t.is(exitCode, 3);
  t.true(stderr.includes(checkpoint));
  t.notRegex(stderr, /--rev/);
  t.like(JSON.parse(await readFile(checkpoint, "utf8")), { revision: 3, events: 0 });
});

for (const end of ["stop", "kill"] as const) {
  test(`a watch goes on over a ${end} and a start of the server, exactly`, async (t) => {
    const dataDir = await temporaryFolder(t);
    const { server, kv, watch } = await setUp(t, { dataDir });
    for (const key of ["k1", "k2"]) await kv.put(key, "v");
    const first = watch("--max", "1");
    t.deepEqual(revisionsOf((await first.ended).stdout), [2]);
    if (end === "stop") server.process.signal("SIGTERM");
    else await server.process.kill();
    await server.process.ended;
    const { address } = await startKvd(t, { dataDir });
    await using again = connect(address);
    await again.put("k3", "v");
    const second = watch("--max", "2", "--server", address);
    t.deepEqual(revisionsOf((await second.ended).stdout), [3, 4]);
  });
}

test("when the history that it needs is gone, the checkpoint ends with 7", async (t) => {
  const { kv, checkpoint, watch } = await setUp(t);
  for (const key of ["k1", "k2"]) await kv.put(key, "v");
  t.deepEqual(revisionsOf((await watch("--max", "2").ended).stdout), [2, 3]);
  const before = await readFile(checkpoint, "utf8");
  for (const key of ["k3", "k4", "k5"]) await kv.put(key, "v");
  await kv.maintenance.compact((await kv.maintenance.status()).revision);
  const { exitCode, stdout, stderr } = await watch().ended;
  t.is(exitCode, 7, stderr);
  t.is(stdout, "");
  t.regex(stderr, /remove the file to begin anew/);
  t.is(await readFile(checkpoint, "utf8"), before);
});
