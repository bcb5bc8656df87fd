// kvctl bench, stat and top as processes, against a server.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import {
  BUNDLED_KVCTL,
  type Ended,
  kvctlFor,
  NODE,
  RunningProcess,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

interface Result {
  readonly complete: boolean;
  readonly operations: number;
  readonly requests: number;
  readonly errors: Record<string, number>;
  readonly latencyMs: Record<string, { readonly count: number; readonly p999: number }>;
}

async function serve(t: ExecutionContext, ...args: readonly string[]) {
  const server = await startKvd(t, { args });
  const kv = connect(server.address);
  t.teardown(() => kv.close());
  return { server, kv, kvctl: kvctlFor(t, server.address, BUNDLED_KVCTL) };
}

const SMALL = ["--keys", "50", "--clients", "3", "--output", "json"];

function resultOf(t: ExecutionContext, { exitCode, stdout, stderr }: Ended): Result {
  t.is(exitCode, 0, stderr);
  return JSON.parse(stdout) as Result;
}

test("every mode does what it was told, and leaves nothing behind", async (t) => {
  const { kv, kvctl } = await serve(t);
  await kv.put("kvctl-bench", "not of a bench");
  await kv.put("kvctl-bench/mine", "not of a bench");
  const cases: [flags: string[], operations: number, counts: Record<string, number>][] = [
    [["--requests", "8"], 24, { get: 12, put: 12 }],
    [["--requests", "4", "--batch", "10", "--mix", "9:1"], 120, { request: 12 }],
    [["--requests", "4", "--batch", "10", "--mode", "pipeline"], 120, { request: 12 }],
    [["--requests", "9", "--mode", "watch"], 27, { event: 27, put: 9 }],
    [["--requests", "8", "--rate", "500"], 24, { get: 12, put: 12 }],
  ];
  for (const [flags, operations, counts] of cases) {
    const ended = await kvctl("bench", ...SMALL, ...flags);
    const result = resultOf(t, ended);
    t.like(result, { complete: true, operations, errors: {} }, flags.join(" "));
    const found = Object.entries(result.latencyMs).map(([kind, { count }]) => [kind, count]);
    t.deepEqual(Object.fromEntries(found), counts, flags.join(" "));
    t.regex(ended.stderr, /^bench writes to 127\.0\.0\.1:\d+ below kvctl-bench\/\w+\/, /);
  }
  t.is((await kv.count({ all: true })).count, 2);
  t.is((await kv.get("kvctl-bench/mine"))?.version, 1);
});

test("--keep leaves the keys, --quiet says nothing, and text is for people", async (t) => {
  const { kv, kvctl } = await serve(t);
  const flags = ["--keys", "20", "--requests", "2", "--keep", "--quiet"];
  const { exitCode, stdout, stderr } = await kvctl("bench", ...flags);
  t.like({ exitCode, stderr }, { exitCode: 0, stderr: "" });
  t.regex(stdout, /^rate: +[\d,]+ operations a second$/m);
  t.regex(stdout, /│ latency │ +p50 │ +p90 │ +p99 │ +p99\.9 │ +max │/);
  t.is((await kv.count({ prefix: "kvctl-bench/" })).count, 20);
});

test("progress is shown on a terminal, and only there", async (t) => {
  const { server } = await serve(t);
  const line = `"${NODE}" "${BUNDLED_KVCTL}" bench --keys 20 --requests 3`;
  const environment = { KVCTL_SERVER: server.address, TERM: "xterm" };
  const script = ["script", "--quiet", "--return", "--command", line, "/dev/null"] as const;
  const shown = await run(t, script, { environment });
  t.is(shown.exitCode, 0, shown.stdout);
  t.regex(shown.stdout, /bench \[[=-]+\] \d+%/);
  const { stdout, stderr } = await run(t, ["sh", "-c", line], { environment });
  t.notRegex(stdout + stderr, /\[[=-]+\]/);
});

test("an interruption ends a bench with what was measured, and removes its keys", async (t) => {
  const { server, kv } = await serve(t);
  const watch = kv.watch({ prefix: "kvctl-bench/" }, { exclude: ["delete"] });
  await watch.ready();
  const args = ["bench", "--keys", "50", "--duration", "1h", "--output", "json"];
  const environment = { KVCTL_SERVER: server.address };
  const bench = new RunningProcess(t, [NODE, BUNDLED_KVCTL, ...args], { environment });
  for await (const event of watch) if (event.type === "put" && event.entry.version > 2) break;
  bench.signal("SIGINT");
  const { exitCode, stdout } = await bench.ended;
  t.is(exitCode, 130);
  const { complete, operations } = JSON.parse(stdout) as Result;
  t.false(complete);
  t.true(operations > 0);
  t.is((await kv.count({ all: true })).count, 0);
});

test("a server that goes away ends a bench with 3, and what was measured is told", async (t) => {
  const { server, kv } = await serve(t);
  const watch = kv.watch({ prefix: "kvctl-bench/" }, { exclude: ["delete"] });
  await watch.ready();
  const args = ["bench", "--keys", "50", "--duration", "1h", "--output", "json"];
  const environment = { KVCTL_SERVER: server.address };
  const bench = new RunningProcess(t, [NODE, BUNDLED_KVCTL, ...args], { environment });
  for await (const event of watch) if (event.type === "put" && event.entry.version > 2) break;
  await server.process.kill();
  const { exitCode, stdout, stderr } = await bench.ended;
  t.is(exitCode, 3, stderr);
  t.false((JSON.parse(stdout) as Result).complete);
  t.regex(stderr, /connection to the server broke/);
  t.regex(stderr, /kvctl delete --prefix kvctl-bench\/\w+\/ --missing-ok/);
});

test("a store without room ends a bench with 9, or with 8 when it fills up on the way", async (t) => {
  const { kvctl } = await serve(t, "--store-max-bytes", "1MiB");
  const large = ["--value-size", "64KiB", "--requests", "30", "--clients", "2"];
  const full = await kvctl("bench", ...large, "--keys", "100");
  t.is(full.exitCode, 9);
  t.regex(full.stderr, /keys cannot be written/);
  const filled = await kvctl("bench", ...large, "--keys", "100", "--mix", "0:1");
  t.is(filled.exitCode, 8, filled.stderr);
  t.regex(filled.stdout, /^errors: +STORE_FULL/m);
});

test("a run is compared with one before it, and refuses another workload", async (t) => {
  const { kvctl } = await serve(t);
  const folder = await temporaryFolder(t);
  const before = join(folder, "before.json");
  const after = join(folder, "after.json");
  const flags = ["--keys", "20", "--requests", "5", "--clients", "2"];
  t.is((await kvctl("bench", ...flags, "--save", before)).exitCode, 0);
  const again = await kvctl("bench", "--compare", before, "--save", after, "--output", "json");
  t.is(again.exitCode, 0, again.stderr);
  const { figures } = JSON.parse(again.stdout) as { figures: { name: string; ratio: number }[] };
  t.true(figures.some(({ name, ratio }) => name === "put.p99" && ratio > 0));
  const offline = kvctlFor(t, "127.0.0.1:1", BUNDLED_KVCTL);
  const files = await offline("bench", "--compare", before, after);
  t.is(files.exitCode, 0, files.stderr);
  t.regex(files.stdout, /│ operationsPerSecond │ +[\d,]+ │ +[\d,]+ │ +[\d.]+x │/);
  const other = await kvctl("bench", "--compare", before, "--clients", "3");
  t.is(other.exitCode, 2);
  t.regex(other.stderr, /clients 2 and 3/);
  const form = JSON.parse(await readFile(after, "utf8")) as { workload: { keys: number } };
  form.workload.keys = 21;
  await writeFile(after, JSON.stringify(form));
  t.is((await offline("bench", "--compare", before, after)).exitCode, 2);
  await writeFile(after, '{"format":"kvctl-bench-1"}');
  t.is((await offline("bench", "--compare", after)).exitCode, 6);
});

test("a server on another machine is not loaded without being asked", async (t) => {
  const far = kvctlFor(t, "192.0.2.1:7856", BUNDLED_KVCTL);
  const { exitCode, stderr } = await far("bench");
  t.is(exitCode, 2);
  t.regex(stderr, /192\.0\.2\.1:7856: add --yes/);
  const line = `"${NODE}" "${BUNDLED_KVCTL}" bench --server 192.0.2.1:7856`;
  const script = ["script", "--quiet", "--return", "--command", line, "/dev/null"] as const;
  const asked = await run(t, script, { stdin: "n\n", environment: { TERM: "xterm" } });
  t.is(asked.exitCode, 1, asked.stdout);
  t.regex(asked.stdout, /Put load on 192\.0\.2\.1:7856.*\[y\/N\][\s\S]*nothing was sent/);
});

test("stat tells how many writes there were, line by line", async (t) => {
  const { server, kv } = await serve(t);
  await kv.put("k", "v");
  const args = ["stat", "--interval", "50ms", "--output", "jsonl"];
  const environment = { KVCTL_SERVER: server.address };
  const stat = new RunningProcess(t, [NODE, BUNDLED_KVCTL, ...args], { environment });
  const rows = (stdout: string) =>
    stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { revisionsPerSecond: number; keys: number });
  await stat.output((stdout) => rows(stdout).length > 0 || undefined);
  t.like(rows(stat.stdout)[0] ?? {}, { revisionsPerSecond: null, keys: 1, revision: 2 });
  await kv.put("l", "v");
  await stat.output((stdout) => rows(stdout).find((row) => row.revisionsPerSecond > 0));
  t.is(rows(stat.stdout).at(-1)?.keys, 2);
  stat.signal("SIGINT");
  t.is((await stat.ended).exitCode, 130);
});

test("stat is a table that goes on, with its head again and again", async (t) => {
  const { kvctl } = await serve(t);
  const { exitCode, stdout } = await kvctl("stat", "--interval", "10ms", "--count", "22");
  t.is(exitCode, 0);
  const lines = stdout.trimEnd().split("\n");
  t.is(lines.length, 24);
  t.deepEqual(
    lines.flatMap((line, index) => (line.includes("rev/s") ? [index] : [])),
    [0, 21],
  );
  t.true(lines.every(({ length }) => length === lines[0]?.length));
});

test("top has the largest keys, in any bytes, and what is written while it looks", async (t) => {
  const { kv, kvctl } = await serve(t);
  for (let index = 0; index < 30; index += 1) await kv.put(`city/${index}`, "v".repeat(index));
  await kv.put(Buffer.from([0xff, 0x00]), Buffer.alloc(500));
  const largest = await kvctl("top", "--largest", "--limit", "2", "--output", "json");
  t.like(JSON.parse(largest.stdout), {
    largest: [
      { key64: "/wA=", valueBytes: 500 },
      { key: "city/29", bytes: 36 },
    ],
  });
  t.like(await kvctl("top", "--largest", "--prefix", "none/"), {
    exitCode: 0,
    stdout: "there are no keys\n",
  });
  const idle = await kvctl("top", "--written", "--prefix", "none/", "--for", "10ms", "--quiet");
  t.regex(idle.stdout, /^nothing was written in [\d.]+s\n$/);
  const written = kvctl("top", "--written", "--for", "2s", "--output", "json");
  const writing = { over: false };
  const writer = (async () => {
    while (!writing.over) {
      await kv.put("a/x", "1");
      await kv.delete("a/x");
    }
  })();
  const { exitCode, stdout } = await written;
  writing.over = true;
  await writer;
  t.is(exitCode, 0);
  const { written: prefixes } = JSON.parse(stdout) as {
    written: { prefix: string; puts: number; deletes: number }[];
  };
  t.is(prefixes.length, 1);
  t.is(prefixes[0]?.prefix, "a/");
  t.true(Math.abs((prefixes[0]?.puts ?? 0) - (prefixes[0]?.deletes ?? 0)) <= 1);
});
