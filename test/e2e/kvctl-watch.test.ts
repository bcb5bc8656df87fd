// kvctl watch as a process: over restarts of the server, with filters and limits, with commands
// that fail, and as a table on a terminal.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import {
  BUNDLED_KVCTL,
  kvctlFor,
  NODE,
  RunningProcess,
  startKvd,
  temporaryFolder,
} from "../support/process.js";
import { whereAble } from "../support/where-able.js";

async function setUp(t: ExecutionContext) {
  const { address } = await startKvd(t);
  const kv = connect(address);
  t.teardown(() => kv.close());
  return { address, kv, kvctl: kvctlFor(t, address, BUNDLED_KVCTL) };
}

test("a watch goes on over a restart of the server, with one line about it", async (t) => {
  const setup = {
    dataDir: await temporaryFolder(t),
    listen: `unix:${join(await temporaryFolder(t), "kvd")}`,
  };
  const first = await startKvd(t, setup);
  const environment = { KVCTL_SERVER: first.address };
  const args = ["watch", "k", "--include-current", "--max", "2", "--output", "jsonl"];
  const watch = new RunningProcess(t, [NODE, BUNDLED_KVCTL, ...args], { environment });
  await watch.output((stdout) => stdout.includes("synced") || undefined);
  {
    await using kv = connect(first.address);
    await kv.put("k", "before");
  }
  await watch.output((stdout) => stdout.includes("before") || undefined);
  first.process.signal("SIGTERM");
  await first.process.ended;
  const second = await startKvd(t, setup);
  await using kv = connect(second.address);
  await kv.put("k", "after");
  const { exitCode, stdout, stderr } = await watch.ended;
  t.is(exitCode, 0);
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.deepEqual(
    rows.map(({ type, value }) => value ?? type),
    ["synced", "before", "after"],
  );
  t.is(stderr.match(/^lost kvd at .*; waiting for it to be back$/gm)?.length, 1);
});

test("only puts, only deletes, and no longer than a time", async (t) => {
  const { kv, kvctl } = await setUp(t);
  await kv.put("k", "1");
  await kv.delete("k");
  await kv.put("k", "2");
  const watch = ["watch", "k", "--rev", "1", "--quiet"];
  t.is(
    (await kvctl(...watch, "--only", "delete", "--max", "1")).stdout,
    "      3 delete  k\t(deleted)\n",
  );
  const puts = await kvctl(...watch, "--only", "put", "--max", "2", "--output", "raw");
  t.is(puts.stdout, "12");
  t.is((await kvctl(...watch, "--max", "3", "--for", "1m")).exitCode, 0);
  t.is((await kvctl("watch", "k", "--for", "50ms")).exitCode, 0);
  const late = await kvctl("watch", "k", "--max", "1", "--for", "50ms", "--quiet");
  t.like(late, { exitCode: 1, stderr: "kvctl: 0 of 1 changes came within 50ms\n" });
});

test("a command that fails ends the watch where it is told to, and runs again", async (t) => {
  const { kv, kvctl } = await setUp(t);
  for (const value of ["1", "2", "3"]) await kv.put("k", value);
  const file = join(await temporaryFolder(t), "checkpoint");
  const watch = ["watch", "k", "--rev", "1", "--checkpoint", file, "--only", "put"];
  const script = (fails: string) => [
    "--",
    "sh",
    "-c",
    `cat; test "$KVCTL_WATCH_VALUE" != ${fails}`,
  ];
  const failed = await kvctl(...watch, "--stop-on-failure", ...script("2"));
  t.like(failed, { exitCode: 8, stdout: "12" });
  t.regex(failed.stderr, /^kvctl: sh ended with 1 for revision 3$/m);
  t.like(JSON.parse(await readFile(file, "utf8")), { revision: 2, events: 1 });
  t.like(await kvctl(...watch, "--max", "2", ...script("9")), { exitCode: 0, stdout: "23" });
  const other = await kvctl("watch", "k", "--checkpoint", file, "--only", "delete");
  t.is(other.exitCode, 2);
  t.regex(other.stderr, /checkpoint of a watch of .*"only":"put"/);
});

test("a table without a terminal is lines: what is there, then what changes", async (t) => {
  const { kv, kvctl } = await setUp(t);
  await kv.put("k/a", "1");
  const shown = kvctl("watch", "--prefix", "k/", "--table", "--max", "1", "--for", "1m");
  const writing = setInterval(() => void kv.put("k/b", "2"), 100);
  t.teardown(() => clearInterval(writing));
  const { exitCode, stdout } = await shown;
  t.is(exitCode, 0);
  const lines = stdout.trim().split("\n");
  t.regex(lines[0] ?? "", /current k\/a\t1$/);
  t.regex(lines.at(-1) ?? "", /put {5}k\/b\t2$/);
});

const ENTERED = "\u001b[?1049h";
const LEFT = "\u001b[?25h\u001b[?1049l";

const { declare, note } = whereAble(
  process.platform === "linux" ? undefined : "the script(1) of util-linux",
);

declare(`${note}a table is drawn in place on a terminal, and leaves it as it was`, async (t) => {
  const { address, kv } = await setUp(t);
  await kv.put("k/a", "\u001b[31mred");
  const table = `'${NODE}' '${BUNDLED_KVCTL}' watch --prefix k/ --table --max 2 --color never`;
  const terminal = new RunningProcess(
    t,
    ["script", "-qec", `stty cols 40 rows 8; ${table}`, "/dev/null"],
    { environment: { KVCTL_SERVER: address, TERM: "xterm" }, stdin: "" },
  );
  const shows = (text: RegExp) =>
    terminal.output(
      (stdout) => text.test(stdout.slice(stdout.lastIndexOf("\u001b[H"))) || undefined,
    );
  await shows(/--prefix k\/: 1 key, revision 2.*k\/a "\\x1b\[31mred"/s);
  await kv.put("k/b", "new");
  await shows(/\+ k\/b new/);
  await kv.delete("k/a");
  const { exitCode, stdout } = await terminal.ended;
  t.is(exitCode, 0);
  t.is(stdout.split(ENTERED).length, 2);
  t.true(stdout.trimEnd().endsWith(LEFT));
  t.false(stdout.includes("\u001b[31m"));
});
