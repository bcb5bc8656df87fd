// kvctl lock and elect as processes: never two at once, whatever ends them, in line with etcdctl,
// and with the exit codes and signals of their commands.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import { etcdctlFor, whyNoEtcdctl } from "../support/etcd/etcdctl.js";
import {
  BUNDLED_KVCTL,
  kvctlFor,
  NODE,
  RunningProcess,
  startKvd,
  temporaryFolder,
} from "../support/process.js";
import { until } from "../support/take.js";
import { whereAble } from "../support/where-able.js";

const { declare, note } = whereAble(whyNoEtcdctl());

const FOR_EVER = "exec tail -f /dev/null";

async function setUp(t: ExecutionContext) {
  const server = await startKvd(t);
  const { address } = server;
  const kv = connect(address);
  t.teardown(() => kv.close());
  const environment = { KVCTL_SERVER: address };
  const start = (...args: string[]) =>
    new RunningProcess(t, [NODE, BUNDLED_KVCTL, ...args], { environment });
  const count = async (prefix: string) => (await kv.count({ prefix })).count;
  const queued = (name: string, members: number) =>
    until(`${members} in ${name}`, async () => (await count(`${name}/`)) === members);
  return { server, address, kv, kvctl: kvctlFor(t, address, BUNDLED_KVCTL), start, queued };
}

/** A command that tells its process id and goes on. */
const lasting = ["--", "sh", "-c", `echo $$; ${FOR_EVER}`];
/** One that tells whether that process runs; in containers, the dead may be there for a while. */
const lookFor = (pid: string) => {
  const isDead = `grep -q "^State:.Z" /proc/${pid}/status 2>/dev/null`;
  return ["--", "sh", "-c", `! kill -0 ${pid} 2>/dev/null || ${isDead} && echo alone`];
};

const firstLine = (process: RunningProcess) =>
  process.output((stdout) => (stdout.includes("\n") ? stdout.trim() : undefined));

test("of many commands at once each runs alone, in the order of their revisions", async (t) => {
  const { start, queued } = await setUp(t);
  const file = join(await temporaryFolder(t), "log");
  const script = `echo in $KVCTL_LOCK_REVISION >> ${file}; cat /dev/null; echo out >> ${file}`;
  const killed = start("lock", "m", "--ttl", "1s", ...lasting);
  await firstLine(killed);
  const all = Array.from({ length: 6 }, () => start("lock", "m", "--", "sh", "-c", script));
  await queued("m", 7);
  await killed.kill();
  for (const { ended } of all) t.is((await ended).exitCode, 0);
  const lines = (await readFile(file, "utf8")).trim().split("\n");
  const revisions = lines
    .filter((_, index) => index % 2 === 0)
    .map((line) => Number(line.slice(3)));
  t.deepEqual(
    lines.filter((_, index) => index % 2 === 1),
    Array(6).fill("out"),
  );
  t.is(revisions.length, 6);
  t.deepEqual(
    revisions,
    revisions.toSorted((one, other) => one - other),
  );
  await queued("m", 0);
});

test("a lock whose kvctl is killed takes its command with it, and goes on after the ttl", async (t) => {
  const { start, queued } = await setUp(t);
  const first = start("lock", "m", "--ttl", "1s", ...lasting);
  const pid = await firstLine(first);
  const second = start("lock", "m", ...lookFor(pid));
  await queued("m", 2);
  await first.kill();
  t.like(await second.ended, { exitCode: 0, stdout: "alone\n" });
});

test("a server that stands still stops the command before the lease can end", async (t) => {
  const { server, start, queued } = await setUp(t);
  const first = start("lock", "m", "--ttl", "2s", ...lasting);
  const pid = await firstLine(first);
  const second = start("lock", "m", ...lookFor(pid));
  await queued("m", 2);
  server.process.signal("SIGSTOP");
  const { exitCode, stderr } = await first.ended;
  server.process.signal("SIGCONT");
  t.is(exitCode, 3);
  t.regex(stderr, /^kvctl: lost lock m: no answer from kvd at .*; stopping sh$/m);
  t.like(await second.ended, { exitCode: 0, stdout: "alone\n" });
});

test("a lock that is lost stops its command, and says why", async (t) => {
  const { kv, start, queued } = await setUp(t);
  const deleted = start("lock", "d", ...lasting);
  const revoked = start("lock", "r", ...lasting);
  await Promise.all([firstLine(deleted), firstLine(revoked)]);
  await kv.delete({ prefix: "d/" });
  const [{ leaseId = 0n } = {}] = (await kv.range({ prefix: "r/" })).entries;
  await kv.lease.revoke(leaseId);
  for (const [process, why] of [
    [deleted, /lost lock d: somebody deleted its key; stopping sh/],
    [revoked, /lost lock r: its lease is gone; stopping sh/],
  ] as const) {
    const { exitCode, stderr } = await process.ended;
    t.is(exitCode, 1);
    t.regex(stderr, why);
  }
  await queued("d", 0);
});

test("the command's end is kvctl's, and it has the lock's facts", async (t) => {
  const { kvctl, start, queued } = await setUp(t);
  const facts = 'echo "$KVCTL_LOCK_NAME $KVCTL_LOCK_REVISION"; echo "$KVCTL_LOCK_KEY"; cat; exit 7';
  const ended = await kvctl.with({ stdin: "in" })("lock", "a b", "--", "sh", "-c", facts);
  t.is(ended.exitCode, 7);
  t.regex(ended.stdout, /^a b 2\na b\/[0-9a-f]+\nin$/);
  t.is((await kvctl("lock", "k", "--", "sh", "-c", "kill -KILL $$")).exitCode, 137);
  const guarded = `txn "create(\\"$KVCTL_LOCK_KEY\\") = $KVCTL_LOCK_REVISION" -- put state done`;
  const script = `"$0" "$1" --quiet ${guarded.replace("txn", "txn --exit-code")}`;
  const put = await kvctl("lock", "k k", "--", "sh", "-c", script, NODE, BUNDLED_KVCTL);
  t.like(put, { exitCode: 0, stderr: "" });
  t.like(await kvctl("get", "state"), { stdout: "done\n" });
  for (const [signal, exitCode] of [
    ["SIGINT", 11],
    ["SIGTERM", 12],
    ["SIGHUP", 13],
  ] as const) {
    const trap = `trap 'kill $!; exit ${exitCode}' ${signal.slice(3)}`;
    const script = `${trap}; tail -f /dev/null & echo on; wait`;
    const running = start("lock", signal, "--", "sh", "-c", script);
    await firstLine(running);
    running.signal(signal);
    t.is((await running.ended).exitCode, exitCode, signal);
    await queued(signal, 0);
  }
});

test("without a command it holds until it is interrupted, and then releases at once", async (t) => {
  const { kvctl, start, queued } = await setUp(t);
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    const holding = start("lock", "m", "--output", "jsonl");
    const held = JSON.parse(await firstLine(holding));
    t.like(held, { name: "m" });
    const waiting = start("lock", "m");
    await queued("m", 2);
    waiting.signal(signal);
    t.is((await waiting.ended).exitCode, exitCode);
    t.is((await kvctl("lock", "m", "--try", "--", "true")).exitCode, 1);
    const late = ["lock", "m", "--wait", "50ms", "-E", "75", "--", "true"];
    const { exitCode: code, stderr } = await kvctl(...late);
    t.is(code, 75);
    t.regex(stderr, /did not get lock m: .+:\d+ has it since .*, waited 50ms/);
    const status = await kvctl("lock", "m", "--status", "--output", "json");
    t.is(status.exitCode, 0);
    t.like(JSON.parse(status.stdout), {
      holder: { key: held.key, revision: held.revision },
      waiting: [],
    });
    holding.signal(signal);
    t.is((await holding.ended).exitCode, exitCode);
    t.like(await kvctl("lock", "m", "--status"), { exitCode: 1, stdout: "" });
  }
});

test("who waits is not told off by a server that is away for a while", async (t) => {
  const dataDir = await temporaryFolder(t);
  const listen = `unix:${join(await temporaryFolder(t), "kvd")}`;
  const first = await startKvd(t, { dataDir, listen });
  const environment = { KVCTL_SERVER: first.address };
  const start = (...args: string[]) =>
    new RunningProcess(t, [NODE, BUNDLED_KVCTL, "lock", "m", ...args], { environment });
  const holding = start("--ttl", "60s", "--", "sh", "-c", `echo on; ${FOR_EVER}`);
  await firstLine(holding);
  const waiting = start("--ttl", "60s", "--", "echo", "mine");
  const kv = connect(first.address);
  t.teardown(() => kv.close());
  await until("two", async () => (await kv.count({ prefix: "m/" })).count === 2);
  first.process.signal("SIGTERM");
  await first.process.ended;
  await startKvd(t, { dataDir, listen });
  holding.signal("SIGTERM");
  t.is((await holding.ended).exitCode, 143);
  t.like(await waiting.ended, { exitCode: 0, stdout: "mine\n" });
});

test("what cannot be meant ends with 2", async (t) => {
  const kvctl = kvctlFor(t, "127.0.0.1:1", BUNDLED_KVCTL);
  for (const args of [
    ["lock"],
    ["lock", "", "--", "true"],
    ["lock", "m", "n", "--", "true"],
    ["lock", "m", "--"],
    ["lock", "m", "--try", "--wait", "1s"],
    ["lock", "m", "--status", "--", "true"],
    ["lock", "m", "-E", "256"],
    ["elect", "m", "v", "w"],
    ["elect", "m", "--observe", "--status"],
    ["elect", "m", "--max", "1"],
  ]) {
    const { exitCode, stderr } = await kvctl(...args);
    t.is(exitCode, 2, args.join(" "));
    t.is(stderr.split("\n").length, 2, stderr);
  }
  t.is((await kvctl("lock", "m", "--", "true")).exitCode, 3);
});

test("the lead goes to the next one, and whoever observes sees them come and go", async (t) => {
  const { kvctl, start, queued } = await setUp(t);
  const seen = start("elect", "e", "--observe", "--max", "4", "--output", "jsonl");
  await firstLine(seen);
  const first = start("elect", "e", "one");
  await firstLine(first);
  const second = start("elect", "e", "two", "--", "sh", "-c", 'echo "$KVCTL_ELECT_VALUE"; cat');
  await queued("e", 2);
  t.regex((await kvctl("elect", "e", "--status")).stdout, /^leads\tone\t.*\nstands\ttwo\t/);
  first.signal("SIGINT");
  t.like(await second.ended, { exitCode: 0, stdout: "two\n" });
  const { exitCode, stdout } = await seen.ended;
  t.is(exitCode, 0);
  const leaders = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.deepEqual(
    leaders.map(({ type, value }) => value ?? type),
    ["none", "one", "two", "none"],
  );
});

test("with --again a lead that was lost is stood for again", async (t) => {
  const { kv, start } = await setUp(t);
  const leading = start("elect", "e", "--again", ...lasting);
  await firstLine(leading);
  await kv.delete({ prefix: "e/" });
  await leading.output((stdout) => stdout.split("\n").length > 2 || undefined);
  leading.signal("SIGTERM");
  const { exitCode, stderr } = await leading.ended;
  t.is(exitCode, 143);
  t.regex(stderr, /lost election e: somebody deleted its key/);
});

declare(`${note}etcdctl and kvctl wait for each other`, async (t) => {
  const { address, kvctl, start, queued } = await setUp(t);
  const etcdctl = etcdctlFor(t, address);
  const ours = start("lock", "m");
  await firstLine(ours);
  const theirs = etcdctl.start("lock", "m");
  await queued("m", 2);
  t.is((await kvctl("lock", "m", "--try", "--", "true")).exitCode, 1);
  ours.signal("SIGINT");
  t.regex(await firstLine(theirs), /^m\/[0-9a-f]+$/);
  const next = start("lock", "m", "--", "echo", "mine");
  await queued("m", 2);
  t.is(next.stdout, "");
  theirs.signal("SIGINT");
  t.like(await next.ended, { exitCode: 0, stdout: "mine\n" });
});

declare(`${note}etcdctl sees whom kvctl elects`, async (t) => {
  const { address, start } = await setUp(t);
  const leading = start("elect", "e", "me");
  await firstLine(leading);
  const listening = etcdctlFor(t, address).start("elect", "-l", "e");
  const said = await listening.output((stdout) =>
    stdout.split("\n").length > 2 ? stdout : undefined,
  );
  t.regex(said, /^e\/[0-9a-f]+\nme\n/);
  await listening.kill();
});
