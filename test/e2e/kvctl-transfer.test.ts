// kvctl import, export, diff, apply and clear as processes: every format there and back, what
// breaks off and goes on, what is asked first.

import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect, type Kvd } from "../../client/index.js";
import {
  BUNDLED_KVCTL,
  type Kvctl,
  kvctlFor,
  NODE,
  RunningProcess,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

interface Site {
  readonly kv: Kvd;
  readonly kvctl: Kvctl;
  readonly address: string;
  readonly folder: string;
  /** kvctl on a terminal, with something typed. */
  onTerminal(typed: string, command: string): ReturnType<Kvctl>;
}

async function setUp(t: ExecutionContext): Promise<Site> {
  const { address } = await startKvd(t);
  const kv = connect(address);
  t.teardown(() => kv.close());
  const environment = { KVCTL_SERVER: address, TERM: "xterm" };
  const onTerminal = (typed: string, command: string) => {
    const line = `"${NODE}" "${BUNDLED_KVCTL}" ${command}`;
    const script = ["script", "--quiet", "--return", "--command", line, "/dev/null"] as const;
    return run(t, script, { environment, stdin: typed });
  };
  const folder = await temporaryFolder(t);
  return { kv, kvctl: kvctlFor(t, address, BUNDLED_KVCTL), address, folder, onTerminal };
}

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const ODD: readonly (readonly [string | Uint8Array, string | Uint8Array])[] = [
  ["all", ALL_BYTES],
  [ALL_BYTES, "a key of all bytes"],
  ["two words", "new\nline\r\n"],
  ["-dash", "--flag"],
  ["a", "a file"],
  ["a/b", "below it"],
  ["a//c/", "empty parts"],
  ["../up", '"quoted", and a comma'],
  ["\u{1f600}", "\ufffd"],
  ["\ufffd", "\u{1f600}"],
  ["line\nbreak", ""],
];

async function fill(kv: Kvd): Promise<void> {
  for (const [key, value] of ODD) await kv.put(key, value);
}

async function contents(kv: Kvd): Promise<string[]> {
  const { entries } = await kv.range({ all: true });
  return entries.map(({ keyBytes, bytes }) =>
    [keyBytes, bytes].map((part) => Buffer.from(part).toString("hex")).join(" "),
  );
}

async function keysOf(kv: Kvd): Promise<string[]> {
  return (await kv.range({ all: true }, { keysOnly: true })).entries.map(({ key }) => key);
}

for (const name of ["store.jsonl", "store.csv", "tree/"]) {
  test(`all keys and values go through ${name} unchanged`, async (t) => {
    const [one, other] = await Promise.all([setUp(t), setUp(t)]);
    await fill(one.kv);
    const path = join(one.folder, name);
    const exported = await one.kvctl("export", "-o", path);
    t.is(exported.exitCode, 0, exported.stderr);
    const imported = await other.kvctl("import", path, "--output", "json");
    t.is(imported.exitCode, 0, imported.stderr);
    t.like(JSON.parse(imported.stdout), { written: ODD.length, failed: 0 });
    t.deepEqual(await contents(other.kv), await contents(one.kv));
    t.is((await one.kvctl("diff", "--right-server", other.address)).exitCode, 0);
    t.is((await one.kvctl("diff", `file:${path}`)).exitCode, 0);
    t.is((await one.kvctl("export", "-o", join(one.folder, "tree/in/none"))).exitCode, 2);
    t.deepEqual((await readdir(one.folder)).length, 1);
  });
}

test("words are pairs, as the older prompts took them", async (t) => {
  const { kv, kvctl, folder } = await setUp(t);
  const file = join(folder, "pairs.words");
  await writeFile(file, "kenya Nairobi\n\tuganda\r\n Kampala tanzania Dodoma");
  t.is((await kvctl("import", file)).exitCode, 0);
  t.is((await kv.get("uganda"))?.text(), "Kampala");
  const { stdout } = await kvctl("export", "--format", "words");
  t.is(stdout, "kenya Nairobi\ntanzania Dodoma\nuganda Kampala\n");
  await kv.put("x", "two words");
  const refused = await kvctl("export", "--format", "words");
  t.is(refused.exitCode, 6);
  t.regex(refused.stderr, /the value of x, which has white space/);
  const odd = await kvctl.with({ stdin: "a 1 b" })("import", "-", "--format", "words");
  t.is(odd.exitCode, 8);
  t.regex(odd.stderr, /word 3 \(line 1\): the key b has no value/);
});

test("a broken line 70,001 is named: all before it is there, nothing after it", async (t) => {
  const { kv, kvctl, folder } = await setUp(t);
  const line = (number: number) => `{"key":"k${String(number).padStart(6, "0")}","value":"v"}`;
  const lines = Array.from({ length: 70_010 }, (_, index) => line(index + 1));
  lines[70_000] = `${lines[70_000]?.slice(0, -1)}`;
  const file = join(folder, "lines.jsonl");
  await writeFile(file, lines.join("\n"));
  const { exitCode, stderr } = await kvctl("import", file);
  t.is(exitCode, 8);
  t.regex(stderr, /^kvctl: line 70001: not JSON/);
  t.regex(stderr, /imported 70000 keys \(70000 new\), 1 failed.*; stopped there/);
  t.is((await kv.count({ all: true })).count, 70_000);
  t.is(await kv.get("k070002"), undefined);
  lines[70_000] = line(70_001);
  await writeFile(file, lines.join("\n"));
  const again = await kvctl("import", file, "--output", "json");
  t.like(JSON.parse(again.stdout), { written: 10, unchanged: 70_000 });
});

test("an import that is interrupted goes on where it stopped", async (t) => {
  const { kv, kvctl, folder, address } = await setUp(t);
  const file = join(folder, "lines.csv");
  const total = 30_000;
  const value = "v".repeat(100);
  const lines = Array.from({ length: total }, (_, index) => `k${index},${value}`);
  await writeFile(file, ["key,value", ...lines].join("\n"));
  const environment = { KVCTL_SERVER: address };
  const first = new RunningProcess(t, [NODE, BUNDLED_KVCTL, "import", file], { environment });
  let seen = 0;
  for await (const { revision } of kv.watch({ all: true }, { startRevision: 2 })) {
    seen = revision;
    if (revision >= 4) break;
  }
  first.signal("SIGINT");
  const { exitCode, stderr } = await first.ended;
  t.is(exitCode, 130);
  t.regex(stderr, /^interrupted: imported \d+ keys .*; import it again to go on/);
  const { count } = await kv.count({ all: true });
  t.true(count >= (seen - 1) * 1_000 && count < total, `${count}`);
  t.is(count % 1_000, 0, "a batch is there in part");
  const again = await kvctl("import", file, "--output", "json");
  t.like(JSON.parse(again.stdout), { written: total - count, unchanged: count });
  t.is((await kv.count({ all: true })).count, total);
});

test("a server that ends under an import is told, with what was written", async (t) => {
  const server = await startKvd(t);
  const folder = await temporaryFolder(t);
  const file = join(folder, "lines.words");
  await writeFile(file, Array.from({ length: 100_000 }, (_, index) => `k${index} v`).join("\n"));
  const importing = kvctlFor(t, server.address, BUNDLED_KVCTL)("import", file);
  const kv = connect(server.address);
  t.teardown(() => kv.close());
  for await (const { revision } of kv.watch({ all: true }, { startRevision: 2 })) {
    if (revision >= 4) break;
  }
  await server.process.kill();
  const { exitCode, stderr } = await importing;
  t.is(exitCode, 3);
  t.regex(stderr, /before that: imported \d+ keys .*; import it again to go on/);
});

test("prune deletes only what the file lacks below the prefix, when all was written", async (t) => {
  const { kv, kvctl, folder } = await setUp(t);
  for (const key of ["app/a", "app/b", "app/c", "other"]) await kv.put(key, "old");
  const file = join(folder, "app.jsonl");
  await writeFile(file, '{"key":"app/a","value":"new"}\n{"key":"app/d","value":"new"}\n');
  const prune = ["--prune", "--prefix", "app/"];
  const preview = await kvctl("import", file, ...prune, "--dry-run", "--output", "json");
  t.deepEqual(JSON.parse(preview.stdout), {
    ...{ added: 1, updated: 1, unchanged: 0, deleted: 2, failed: 0 },
  });
  t.is((await kvctl("import", file, "--prune")).exitCode, 2);
  t.is((await kvctl("import", file, ...prune)).exitCode, 2);
  t.is((await kvctl("import", file, "--prefix", "app/")).exitCode, 2);
  t.deepEqual(await keysOf(kv), ["app/a", "app/b", "app/c", "other"]);
  const { exitCode, stdout } = await kvctl("import", file, ...prune, "--yes", "--output", "json");
  t.is(exitCode, 0);
  t.like(JSON.parse(stdout), { written: 2, deleted: 2 });
  t.deepEqual(await keysOf(kv), ["app/a", "app/d", "other"]);
  await writeFile(file, '{"key":"app/a","value":"newer"}\nbroken\n');
  const broken = await kvctl("import", file, ...prune, "--yes", "--keep-going");
  t.is(broken.exitCode, 8);
  t.regex(broken.stderr, /nothing was deleted/);
  t.deepEqual(await keysOf(kv), ["app/a", "app/d", "other"]);
});

test("apply makes the keys as in the file, and writes nothing the second time", async (t) => {
  const { kv, kvctl, folder } = await setUp(t);
  await fill(kv);
  await kv.put("leased", "v", { ttl: "1h" });
  const file = join(folder, "store.csv");
  await kvctl("export", "-o", file);
  await kv.put("a", "changed");
  await kv.delete("a/b");
  await kv.put("more", "");
  const apply = ["apply", file, "--prune", "--all"];
  const preview = await kvctl(...apply, "--dry-run");
  t.is(preview.exitCode, 0);
  t.is(preview.stdout, "~ a\n+ a/b\n- more\n");
  const applied = await kvctl(...apply, "--yes", "--output", "json");
  t.like(JSON.parse(applied.stdout), { added: 1, updated: 1, deleted: 1, failed: 0 });
  t.is((await kvctl("diff", file)).exitCode, 0);
  const { revision } = await kv.maintenance.status();
  const again = await kvctl(...apply, "--yes");
  t.is(again.exitCode, 0);
  t.regex(again.stderr, /^wrote 0 keys, 12 unchanged, deleted 0/);
  t.is((await kv.maintenance.status()).revision, revision);
});

test("apply writes nothing of a file with a flaw", async (t) => {
  const { kv, kvctl } = await setUp(t);
  for (const [stdin, flaw] of [
    ["a 1 b", /word 3/],
    ["a 1 b 2 a 3", /word 5 \(line 1\): the key a stands already at word 1/],
  ] as const) {
    const { exitCode, stderr } = await kvctl.with({ stdin })("apply", "-", "--format", "words");
    t.is(exitCode, 6);
    t.regex(stderr, flaw);
    t.regex(stderr, /nothing was written/);
  }
  t.is((await kv.count({ all: true })).count, 0);
});

test("prefixes are taken off and put before, on the way in and out", async (t) => {
  const { kv, kvctl } = await setUp(t);
  await kv.put("prod/a", "1");
  await kv.put("prod/b", "2");
  const out = await kvctl("export", "--prefix", "prod/", "--strip-prefix", "prod/");
  t.is(out.stdout, '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n');
  const into = kvctl.with({ stdin: out.stdout });
  t.is((await into("import", "-", "--add-prefix", "test/")).exitCode, 0);
  t.is((await kvctl("diff", "prod/", "test/")).exitCode, 0);
  const foreign = await into("import", "-", "--strip-prefix", "x/");
  t.is(foreign.exitCode, 8);
  t.regex(foreign.stderr, /line 1: the key a does not start with x\//);
  t.is((await kvctl("export", "--strip-prefix", "prod/")).exitCode, 6);
});

test("diff tells what differs between prefixes, revisions and a file, and ends with 0 or 1", async (t) => {
  const { kv, kvctl, folder } = await setUp(t);
  await kv.put("l/same", "1");
  await kv.put("l/gone", "1");
  await kv.put("l/doc", '{"a":1,"b":2}');
  const { revision } = await kv.put("r/same", "1");
  await kv.put("r/doc", '{"a":1,"b":3}');
  await kv.put("r/new", "1");
  const text = await kvctl("diff", "l/", "r/");
  t.is(text.exitCode, 1);
  const doc = ["      {", '        "a": 1,', '    -   "b": 2', '    +   "b": 3', "      }"];
  t.is(text.stdout, `${["~ doc", ...doc, "- gone\t1", "+ new\t1"].join("\n")}\n`);
  t.is(text.stderr, "1 added, 1 removed, 1 changed, 1 the same\n");
  const since = await kvctl("diff", `@${revision}`, "--keys-only");
  t.is(since.stdout, "+ r/doc\n+ r/new\n");
  const between = await kvctl("diff", `r/@${revision}`, "r/@now", "--output", "jsonl");
  t.is(JSON.parse(between.stdout.split("\n")[1] ?? "").key, "r/new");
  t.is((await kvctl("diff", "l/@4", "l/")).exitCode, 0);
  const summary = await kvctl("diff", "l/", "r/", "--summary", "--output", "json", "--quiet");
  t.deepEqual(JSON.parse(summary.stdout), { added: 1, removed: 1, changed: 1, same: 1 });
  const file = join(folder, "unordered.words");
  await writeFile(file, "r/new 2 r/doc 3 l/same 1 r/new 1");
  const withFile = await kvctl("diff", file, "r/", "--keys-only");
  t.is(withFile.stdout, "~ r/doc\n+ r/same\n");
  const other = join(folder, "other.words");
  await writeFile(other, "r/new 1 l/same 1 r/doc 3");
  t.is((await kvctlFor(t, "127.0.0.1:1", BUNDLED_KVCTL)("diff", file, other)).exitCode, 0);
  for (const words of [[], ["l/"], ["l/", "r/", "x/"], ["-", "-"]]) {
    t.is((await kvctl("diff", ...words)).exitCode, 2);
  }
  const mistyped = await kvctl("diff", "no-such-file.jsonl", "r/");
  t.is(mistyped.exitCode, 2);
  t.is(mistyped.stdout, "");
  t.regex(mistyped.stderr, /there is no file "no-such-file.jsonl"; prefix:no-such-file.jsonl/);
  t.is((await kvctl("diff", "prefix:no-such-file.jsonl", "none/")).exitCode, 0);
  const down = await kvctl("diff", "l/", "--right-server", "127.0.0.1:1");
  t.is(down.exitCode, 3);
  t.regex(down.stderr, /cannot reach kvd at 127\.0\.0\.1:1:/);
});

test("clear deletes a prefix in pages, and asks first", async (t) => {
  const { kv, kvctl, onTerminal } = await setUp(t);
  const keys = Array.from({ length: 2_500 }, (_, index) => `s/${index}`);
  await Promise.all([...keys, "kept"].map((key) => kv.put(key, "")));
  t.is((await kvctl("clear", "s/")).exitCode, 2);
  const no = await onTerminal("n\n", "clear s/");
  t.is(no.exitCode, 1);
  t.regex(no.stdout, /Delete 2500 keys of .*, all that start with s\/\? \[y\/N\]/);
  t.is((await kv.count({ all: true })).count, 2_501);
  const before = (await kv.maintenance.status()).revision;
  const yes = await onTerminal("y\n", "clear s/");
  t.is(yes.exitCode, 0);
  t.regex(yes.stdout, /cleared 2500, revision \d+/);
  t.deepEqual(await keysOf(kv), ["kept"]);
  t.is((await kv.maintenance.status()).revision, before + 3);
  const none = await kvctl("clear", "s/", "--yes");
  t.like(none, { exitCode: 0, stdout: "cleared 0, there was nothing\n" });
  t.is((await kvctl("clear", "--all", "--yes", "--quiet")).stdout, "");
  t.deepEqual(await keysOf(kv), []);
  for (const words of [[], [""], ["a", "--all"], ["a", "b"]]) {
    t.is((await kvctl("clear", ...words, "--yes")).exitCode, 2);
  }
});

for (const verb of ["clear", "delete"]) {
  test(`Ctrl-C at the question of ${verb} ends it with 130, and deletes nothing`, async (t) => {
    const { kv, folder, address } = await setUp(t);
    await kv.put("k", "");
    const typed = join(folder, "typed");
    await run(t, ["mkfifo", typed]);
    const keyboard = await open(typed, "r+");
    t.teardown(() => keyboard.close());
    const line = `"${NODE}" "${BUNDLED_KVCTL}" ${verb} --all`;
    const script = `script --quiet --return --command '${line}' /dev/null < "${typed}"`;
    const environment = { KVCTL_SERVER: address, TERM: "xterm" };
    const asking = new RunningProcess(t, ["bash", "-c", script], { environment });
    await asking.output((stdout) => stdout.includes("[y/N]") || undefined);
    await keyboard.write("\u0003");
    t.is((await asking.ended).exitCode, 130);
    t.is((await kv.count({ all: true })).count, 1);
  });
}

test("CSV of others: columns by name, or no header at all", async (t) => {
  const { kv, kvctl } = await setUp(t);
  const into = kvctl.with({ stdin: "name,size,land\nOslo,1,NO\n" });
  const args = ["import", "-", "--format", "csv"];
  t.is((await into(...args)).exitCode, 8);
  const columns = ["--key-column", "name", "--value-column", "land"];
  t.is((await into(...args, ...columns)).exitCode, 0);
  t.is((await kv.get("Oslo"))?.text(), "NO");
  t.is((await into("import", "-", ...columns)).exitCode, 2);
  t.is((await kvctl.with({ stdin: "a,1\n" })(...args, "--no-header")).exitCode, 0);
  t.is((await kv.get("a"))?.text(), "1");
});

test("on a terminal prune shows what it would delete, and a no leaves it", async (t) => {
  const { kv, folder, onTerminal } = await setUp(t);
  await kv.put("gone\u001b[31m", "");
  const file = join(folder, "k.words");
  await writeFile(file, "k v");
  const no = await onTerminal("n\n", `apply "${file}" --prune --all`);
  t.is(no.exitCode, 1);
  t.regex(no.stdout, /Delete from .* what the file lacks: 1 key \("gone\\x1b\[31m"\)\? \[y\/N\]/);
  t.is((await kv.count({ all: true })).count, 2);
  t.is((await onTerminal("y\n", `apply "${file}" --prune --all`)).exitCode, 0);
  t.deepEqual(await keysOf(kv), ["k"]);
});

test("a folder that is exported leaves nothing behind when it cannot be whole", async (t) => {
  const { kv, kvctl, folder } = await setUp(t);
  await kv.put("k", "v");
  await kv.put("x/".repeat(4_000), "too deep for any file system");
  const { exitCode, stderr } = await kvctl("export", "-o", join(folder, "tree/"));
  t.is(exitCode, 2);
  t.regex(stderr, /cannot write the key x\/.* as a file: its path would be too long/);
  t.deepEqual(await readdir(folder), []);
  await writeFile(join(folder, "mine"), "mine");
  t.is((await kvctl("export", "--format", "files", "-o", folder)).exitCode, 2);
  t.is(await readFile(join(folder, "mine"), "utf8"), "mine");
});
