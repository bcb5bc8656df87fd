// Whole commands against a served store, in one process: what is printed, and what they end with.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import test from "ava";
import { run } from "../../../client/cli/program.js";
import type { Kvd } from "../../../client/index.js";
import { kvctl, rows, shell } from "./shell.js";

test("put prints its revision, get the value and a newline", async (t) => {
  const { kvctl } = await shell(t);
  t.deepEqual(await kvctl("put", "kenya:capital", "Nairobi"), {
    exitCode: 0,
    stdout: "revision 2\n",
    stderr: "",
  });
  t.is((await kvctl("get", "kenya:capital")).stdout, "Nairobi\n");
  t.is((await kvctl("get", "kenya:capital", "--output", "raw")).stdout, "Nairobi");
  t.is((await kvctl("put", "k", "v", "--quiet")).stdout, "");
});

test("an absent key prints nothing on standard output and ends with 1", async (t) => {
  const { kvctl } = await shell(t);
  const { exitCode, stdout, stderr } = await kvctl("get", "nothing");
  t.is(exitCode, 1);
  t.is(stdout, "");
  t.is(stderr.split("\n").length, 2);
  t.deepEqual(await kvctl("get", "nothing", "--default", "3"), {
    exitCode: 0,
    stdout: "3\n",
    stderr: "",
  });
});

test("a default is told apart from an entry in JSON", async (t) => {
  const { kv, kvctl } = await shell(t);
  const get = (...more: string[]) => kvctl("get", "k", "--default", "[1]", ...more);
  t.deepEqual(rows(await get("--output", "jsonl")), [{ key: "k", value: "[1]", default: true }]);
  t.is((await get("--json")).stdout, "[\n  1\n]\n");
  t.is((await kvctl("get", "k", "--default", "{", "--json", "--output", "json")).exitCode, 6);
  await kv.put("k", "{");
  t.is((await get()).stdout, "{\n");
  t.is((await get("--json", "--output", "jsonl")).exitCode, 6);
});

test("a lost precondition ends with 1 and changes nothing", async (t) => {
  const { kvctl } = await shell(t);
  t.is((await kvctl("put", "k", "1", "--if-absent")).exitCode, 0);
  t.is((await kvctl("put", "k", "2", "--if-absent")).exitCode, 1);
  t.is((await kvctl("put", "k", "2", "--expect-rev", "7")).exitCode, 1);
  t.is((await kvctl("delete", "k", "--expect-rev", "7")).exitCode, 1);
  t.is((await kvctl("get", "k")).stdout, "1\n");
  t.is((await kvctl("put", "k", "2", "--expect-rev", "2")).exitCode, 0);
});

test("delete ends with 1 when there was nothing, unless that is fine", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("a/1", "");
  await kv.put("a/2", "");
  t.is((await kvctl("delete", "--prefix", "a/")).stdout, "deleted 2, revision 4\n");
  t.is((await kvctl("delete", "--prefix", "a/")).exitCode, 1);
  t.is((await kvctl("del", "--prefix", "a/", "--missing-ok")).exitCode, 0);
});

test("delete --all wants --yes where nobody can be asked", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("a", "");
  t.is((await kvctl("delete", "--all")).exitCode, 2);
  t.is((await kv.count({ all: true })).count, 1);
  t.is((await kvctl("delete", "--all", "--yes")).exitCode, 0);
  t.is((await kv.count({ all: true })).count, 0);
});

test("what is more than one deletion takes goes in steps", async (t) => {
  const { kv, kvctl } = await shell(t, { deleteMaxKeys: 4 });
  for (let index = 0; index < 11; index += 1) await kv.put(`k${index}`, "");
  const limited = await kvctl("delete", "--all", "--yes", "--limit", "6", "--output", "jsonl");
  t.like(rows(limited)[0] as object, { deleted: 6, more: true });
  t.is((await kv.count({ all: true })).count, 5);
  t.regex((await kvctl("delete", "--all", "--yes")).stdout, /^deleted 5, in 2 revisions/);
});

test("a listing is complete and in the order of the bytes, in every format", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("b", "two\nlines");
  await kv.put("a", "1");
  await kv.put(Uint8Array.of(0xff), Uint8Array.of(0xfe));
  t.is((await kvctl("range", "--all")).stdout, 'a\t1\nb\t"two\\nlines"\n"\\xff"\t"\\xfe"\n');
  t.deepEqual(rows(await kvctl("range", "--all", "--output", "jsonl", "--reverse")), [
    { key64: "/w==", value64: "/g==", createRevision: 4, modRevision: 4, version: 1 },
    { key: "b", value: "two\nlines", createRevision: 2, modRevision: 2, version: 1 },
    { key: "a", value: "1", createRevision: 3, modRevision: 3, version: 1 },
  ]);
  t.like(JSON.parse((await kvctl("range", "--all", "--limit", "1", "--output", "json")).stdout), {
    revision: 4,
    more: true,
  });
  t.is((await kvctl("range", "--end", "c", "--output", "raw")).stdout, "1two\nlines");
  t.is((await kvctl("range", "--end", "c", "--keys-only")).stdout, "a\nb\n");
  t.regex((await kvctl("range", "--end", "c", "--output", "table")).stdout, /│ a +│ 1 +│ +3 │/);
  t.deepEqual(JSON.parse((await kvctl("range", "--prefix", "z", "--output", "json")).stdout), {
    entries: [],
    revision: 4,
    more: false,
  });
});

test("ls shows a level, with keys and folded rows in one order", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  for (const key of ["a", "a/1", "a/2/x", "a0", "b:c"]) await kv.put(key, "");
  t.is((await kvctl("ls")).stdout, "a\na/\na0\nb:c\n");
  t.is((await kvctl("ls", "a/")).stdout, "a/1\na/2/\n");
  t.is((await kvctl("ls", "--reverse", "--limit", "2")).stdout, "b:c\na0\n");
  t.is((await kvctl("ls", "--delimiter", ":")).stdout, "a\na/1\na/2/x\na0\nb:\n");
  t.is((await kvctl("ls", "a/", "--recursive")).stdout, "a/1\na/2/x\n");
  t.is((await kvctl("ls", "a/", "--output", "raw")).stdout, "a/1\0a/2/\0");
  t.is((await kvctl("ls", "a/", "-o", join(folder, "list"))).stdout, "");
  t.is(await readFile(join(folder, "list"), "utf8"), "a/1\na/2/\n");
  t.is((await kvctl("count", "--all", "--delimiter", "/")).stdout, "4\n");
});

test("an old revision is read with --rev, and its absence tells what it is", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("k", "1");
  await kv.put("k", "2");
  t.is((await kvctl("get", "k", "--rev", "2")).stdout, "1\n");
  t.is((await kvctl("get", "k", "--rev", "9")).exitCode, 6);
  await kv.maintenance.compact(3);
  t.is((await kvctl("get", "k", "--rev", "2")).exitCode, 7);
});

test("values that are JSON are checked on the way in and indented on the way out", async (t) => {
  const { kvctl } = await shell(t);
  t.is((await kvctl("put", "k", "{", "--json")).exitCode, 6);
  t.is((await kvctl("get", "k")).exitCode, 1);
  t.is((await kvctl("put", "k", '{"n":12345678901234567890}', "--json")).exitCode, 0);
  t.is((await kvctl("get", "k", "--json")).stdout, '{\n  "n": 12345678901234567890\n}\n');
  await kvctl("put", "t", "text");
  const { exitCode, stdout } = await kvctl("get", "t", "--json");
  t.is(exitCode, 6);
  t.is(stdout, "");
});

test("a value goes through files byte by byte", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  await writeFile(join(folder, "in"), bytes);
  t.is((await kvctl("put", "k", "-i", join(folder, "in"))).exitCode, 0);
  t.deepEqual(Buffer.from((await kv.get("k"))?.bytes ?? []), bytes);
  t.is((await kvctl("get", "k", "-o", join(folder, "out"))).exitCode, 0);
  t.deepEqual(await readFile(join(folder, "out")), bytes);
  t.is((await kvctl("get", "nothing", "-o", join(folder, "none"))).exitCode, 1);
  t.deepEqual((await readdir(folder)).sort(), ["in", "out"]);
  t.is((await kvctl("put", "k", "-i", join(folder, "nothing"))).exitCode, 2);
});

test("a txn tells its branch, and its exit code when asked to", async (t) => {
  const { kvctl } = await shell(t);
  const txn = ["txn", "--exit-code", "--output", "json", "!exists(a)", "--", "put", "a", "1"];
  const first = await kvctl(...txn, "--", "get", "a");
  t.is(first.exitCode, 0);
  t.like(JSON.parse(first.stdout), { succeeded: true, results: [{ put: { revision: 2 } }] });
  const second = await kvctl(...txn, "--", "get", "a", ";", "get", "b");
  t.is(second.exitCode, 1);
  t.like(JSON.parse(second.stdout), {
    succeeded: false,
    results: [{ get: { entry: { key: "a", value: "1" } } }, { get: { entry: null } }],
  });
  t.is((await kvctl("txn", "--", "put", "a", "1", ";", "put", "a", "2")).exitCode, 6);
});

test("an export, imported elsewhere, is the same store", async (t) => {
  const [one, other] = [await shell(t), await shell(t)];
  for (const [key, value] of [
    ["b", "text"],
    ["a", Uint8Array.of(255)],
    [Uint8Array.of(254), ""],
    ["\ufeff\u{1f600}\uff5e", "\ufeff"],
  ] as const) {
    await one.kv.put(key, value);
  }
  await one.kv.put("leased", "v", { ttl: "1h" });
  const file = join(one.folder, "store.jsonl");
  t.is((await one.kvctl("export", "-o", file)).exitCode, 0);
  const preview = await other.kvctl("import", file, "--dry-run", "--output", "jsonl");
  t.deepEqual(rows(preview), [{ added: 5, updated: 0, unchanged: 0, failed: 0 }]);
  t.is((await other.kv.count({ all: true })).count, 0);
  const imported = await other.kvctl("import", file, "--output", "jsonl");
  t.is(imported.exitCode, 0);
  t.like(rows(imported)[0] as object, { written: 5, failed: 0 });
  const values = async (kv: Kvd) =>
    (await kv.range({ all: true })).entries.map(({ keyBytes, bytes }) => [keyBytes, bytes]);
  t.deepEqual(await values(other.kv), await values(one.kv));
  const leaseId = (await other.kv.get("leased"))?.leaseId ?? 0n;
  const { ttlMs } = await other.kv.lease.timeToLive(leaseId);
  t.true(ttlMs > 3_500_000 && ttlMs <= 3_600_000);
  const again = await other.kvctl("import", file, "--dry-run", "--output", "jsonl");
  t.deepEqual(rows(again), [{ added: 0, updated: 1, unchanged: 4, failed: 0 }]);
});

test("an import ends at the first broken line, or names all of them", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  const file = join(folder, "broken.jsonl");
  const lines = ['{"key":"a","value":"1"}', "", "nonsense", '{"key":"b","value":"2"}', "{}"];
  await writeFile(file, lines.join("\n"));
  const first = await kvctl("import", file);
  t.is(first.exitCode, 8);
  t.regex(first.stderr, /line 3:/);
  t.notRegex(first.stderr, /line 5:/);
  t.is((await kv.get("b"))?.text(), undefined);
  t.is((await kv.get("a"))?.text(), "1");
  const all = await kvctl("import", file, "--keep-going");
  t.is(all.exitCode, 8);
  t.regex(all.stderr, /line 3:.*\n.*line 5:/);
  t.is((await kv.get("b"))?.text(), "2");
});

test("a line that the server refuses is named, and the others are written", async (t) => {
  const { kv, folder, kvctl } = await shell(t, { valueMaxBytes: 10 });
  const file = join(folder, "large.jsonl");
  const values = ["1", "x".repeat(11), "3"];
  await writeFile(
    file,
    values.map((value, index) => JSON.stringify({ key: `k${index}`, value })).join("\n"),
  );
  const { exitCode, stderr } = await kvctl("import", file, "--keep-going");
  t.is(exitCode, 8);
  t.regex(stderr, /line 2:.*VALUE_TOO_LARGE/);
  t.is((await kv.count({ all: true })).count, 2);
});

test("a preview names the lines that would be refused", async (t) => {
  const { kv, folder, kvctl } = await shell(t, { valueMaxBytes: 10, keyMaxBytes: 10 });
  const file = join(folder, "lines.jsonl");
  const lines = [
    { key: "a", value: "1" },
    { key: "b", value: "x".repeat(11) },
    { key: "k".repeat(11), value: "" },
    { key: "c", value: "", ttl: "3651d" },
    { key: "d", value: "", ttl: "3650d" },
  ];
  await writeFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
  const flags = ["--keep-going", "--output", "jsonl"];
  const preview = await kvctl("import", file, "--dry-run", ...flags);
  t.is(preview.exitCode, 8);
  t.deepEqual(rows(preview), [{ added: 2, updated: 0, unchanged: 0, failed: 3 }]);
  t.is((await kv.count({ all: true })).count, 0);
  const told = (stderr: string) =>
    [...stderr.matchAll(/line (\d): .*\((\w+)\)\n/g)].map(([, line, why]) => `${line} ${why}`);
  const refused = ["2 VALUE_TOO_LARGE", "3 KEY_TOO_LONG", "4 TTL_OUT_OF_RANGE"];
  t.deepEqual(told(preview.stderr).sort(), refused);
  const imported = await kvctl("import", file, ...flags);
  t.deepEqual(told(imported.stderr).sort(), refused);
  t.like(rows(imported)[0] as object, { written: 2, failed: 3 });
});

test("an import keeps what remains of a ttl", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  const file = join(folder, "lines.jsonl");
  const lines = ["2h", "7200.5s"].map((ttl) => ({ key: ttl, value: "", ttl }));
  await writeFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
  t.is((await kvctl("import", file)).exitCode, 0);
  for (const [key, granted] of [
    ["2h", 7_200_000],
    ["7200.5s", 7_200_500],
  ] as const) {
    const leaseId = (await kv.get(key))?.leaseId ?? 0n;
    t.is((await kv.lease.timeToLive(leaseId)).grantedTtlMs, granted);
  }
  t.regex((await kvctl("export", "2h")).stdout, /"ttl":"7[12]\d\d(\.\d+)?s"/);
});

test("a watch from a revision prints its events and ends after --max", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("a", "1");
  await kv.put("b", "2");
  await kv.delete("a");
  const watched = await kvctl(
    ...["watch", "a", "--rev", "1", "--max", "2", "--prev", "--output", "jsonl"],
  );
  t.is(watched.exitCode, 0);
  const [first, second] = rows(watched) as Record<string, unknown>[];
  t.like(first ?? {}, { type: "put", key: "a", value: "1", revision: 2, version: 1 });
  t.like(second ?? {}, { type: "delete", key: "a", revision: 4, reason: "deleted" });
  t.like(second?.["previous"] as object, { value: "1", modRevision: 2 });
  t.false(Number.isNaN(Date.parse(String(second?.["time"]))));
});

test("a watch shows what is there, and ends with the code of its signal", async (t) => {
  const { kv, server } = await shell(t);
  await kv.put("a", "1");
  const interruption = new AbortController();
  const stdout = new PassThrough();
  const argv = ["watch", "a", "--include-current", "--output", "jsonl", "--server", server];
  const { signal } = interruption;
  const ended = run({ argv, environment: {}, stdout, stderr: new PassThrough(), signal });
  let seen = "";
  for await (const chunk of stdout) {
    seen += String(chunk);
    if (seen.includes("synced")) break;
  }
  interruption.abort(130);
  t.is(await ended, 130);
  t.regex(seen, /"type":"current","key":"a","value":"1".*\n.*"type":"synced"/);
});

test("a watch of compacted history ends with 7", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("a", "1");
  await kv.put("a", "2");
  await kv.maintenance.compact(3);
  t.is((await kvctl("watch", "a", "--rev", "2")).exitCode, 7);
});

test("no server ends with 3, one line, and no stack but with --debug", async (t) => {
  const environment = { KVCTL_SERVER: "127.0.0.1:1" };
  for (const argv of [["get", "a"], ["watch", "a"], ["import", "-"], ["status"]]) {
    const { exitCode, stdout, stderr } = await kvctl(argv, environment);
    t.is(exitCode, 3, argv[0]);
    t.is(stdout, "");
    t.regex(stderr, /^kvctl: .*127\.0\.0\.1:1.*\n$/);
  }
  t.regex((await kvctl(["get", "a", "--debug"], environment)).stderr, /\n {4}at /);
});

test("mistakes on the command line end with 2, before any server is asked", async (t) => {
  const environment = { KVCTL_SERVER: "127.0.0.1:1" };
  const cases = [
    ["get"],
    ["get", "a", "--limit", "1"],
    ["get", "--prefix", "a", "--json"],
    ["put", "a"],
    ["put", "a", "b", "c"],
    ["put", "a", "b", "--ttl", "5"],
    ["put", "a", "b", "--ttl", "5s", "--keep-lease"],
    ["put", "a", "b", "-i", "file"],
    ["delete", "--prefix", "a", "--expect-rev", "1"],
    ["ls", "a", "b"],
    ["ls", "--recursive", "--delimiter", "/"],
    ["txn"],
    ["txn", "mod(a) = 0"],
    ["watch"],
    ["watch", "a", "--rev", "1", "--include-current"],
    ["watch", "a", "--table", "--output", "json"],
    ["watch", "a", "--table", "--", "cat"],
    ["watch", "a", "--table", "--diff"],
    ["watch", "a", "--only", "both"],
    ["watch", "a", "--stop-on-failure"],
    ["export", "--output", "table"],
    ["import"],
    ["status", "x"],
    ["get", "a", "--server", "nowhere"],
  ];
  for (const argv of cases) {
    const { exitCode, stdout } = await kvctl(argv, environment);
    t.is(exitCode, 2, argv.join(" "));
    t.is(stdout, "");
  }
});

test("a file is whole or as it was before", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  const file = join(folder, "out");
  t.is((await kvctl("range", "--all", "--rev", "9", "-o", file)).exitCode, 6);
  t.deepEqual(await readdir(folder), []);
  await writeFile(file, "before");
  t.is((await kvctl("range", "--all", "--rev", "9", "-o", file)).exitCode, 6);
  t.is(await readFile(file, "utf8"), "before");
  await kv.put("a", "1");
  t.is((await kvctl("range", "--all", "-o", file)).exitCode, 0);
  t.is(await readFile(file, "utf8"), "a\t1\n");
  t.deepEqual(await readdir(folder), ["out"]);
});
