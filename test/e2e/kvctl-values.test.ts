// kvctl as a process, for the verbs on values: an editor, a terminal, bytes of every kind, several
// at once, and buf curl with what kvctl prints for it. What they answer has unit tests.

import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect, type Kvd } from "../../client/index.js";
import {
  BUNDLED_KVCTL,
  HookScope,
  type Kvctl,
  kvctlFor,
  NODE,
  PROJECT,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

const scope = new HookScope();
let address: string;
let kv: Kvd;
let kvctl: Kvctl;

test.before(async () => {
  ({ address } = await startKvd(scope));
  kv = connect(address);
  scope.teardown(() => kv.close());
  kvctl = kvctlFor(scope, address, BUNDLED_KVCTL);
});

test.after.always(() => scope.end());

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** kvctl with an editor that is a script, which has the file as $1, and files of its own. */
async function editing(t: ExecutionContext, script: string) {
  const folder = await temporaryFolder(t);
  const editor = join(folder, "editor");
  await writeFile(editor, `#!/bin/sh\n${script}\n`);
  await chmod(editor, 0o700);
  const environment = { EDITOR: editor, TMPDIR: folder, SEEN: join(folder, "seen") };
  return { folder, kvctl: kvctl.with({ environment }) };
}

const kept = (stderr: string) => /your text is in (\S+?);?(?:\s|$)/.exec(stderr)?.[1] ?? "";

test("edit writes back what was saved, without the newline of the editor", async (t) => {
  const { kvctl, folder } = await editing(t, 'printf "%s\\n" "$1" > "$SEEN"; echo changed > "$1"');
  const { leaseId } = await kv.put("edit/app.conf", "before", { ttl: "1h" });
  const { exitCode, stdout, stderr } = await kvctl("edit", "edit/app.conf");
  t.is(exitCode, 0);
  t.regex(stdout, /^revision \d+\n$/);
  t.is(stderr, "");
  const entry = await kv.get("edit/app.conf");
  t.is(entry?.text(), "changed");
  t.is(entry?.leaseId, leaseId);
  const path = (await readFile(join(folder, "seen"), "utf8")).trim();
  t.true(path.endsWith("/app.conf"), path);
  await t.throwsAsync(stat(path));
});

test("edit shows the value, in a file for its owner alone", async (t) => {
  const { kvctl, folder } = await editing(t, '(ls -l "$1"; cat "$1") > "$SEEN"; echo screen');
  await kv.put("edit/same", '{"a": 1}');
  const { exitCode, stdout, stderr } = await kvctl("edit", "edit/same", "--output", "jsonl");
  t.deepEqual([exitCode, stdout, stderr], [0, '{"changed":false}\n', "screen\n"]);
  t.is((await kv.get("edit/same"))?.version, 1);
  const seen = await readFile(join(folder, "seen"), "utf8");
  t.regex(seen, /^-rw------- .*\/same\.json\n\{"a": 1\}$/);
});

test("edit creates a key that is not there, and --json checks what was saved", async (t) => {
  const { kvctl } = await editing(t, `printf '{"a":\\n 12345678901234567890}\\n' > "$1"`);
  const first = await kvctl("edit", "edit/new", "--json");
  t.is(first.exitCode, 0);
  t.regex(first.stderr, /there is no "edit\/new" yet/);
  t.is((await kv.get("edit/new"))?.text(), '{"a":\n 12345678901234567890}');
  const broken = await editing(t, `printf '{"a":' > "$1"`);
  const { exitCode, stderr } = await broken.kvctl("edit", "edit/new", "--json");
  t.is(exitCode, 6);
  t.is(await readFile(kept(stderr), "utf8"), '{"a":');
  t.is((await kv.get("edit/new"))?.version, 1);
});

test("edit writes over nobody's change, and keeps the text", async (t) => {
  const put = `"${NODE}" "${BUNDLED_KVCTL}" put edit/raced theirs --server ${address} --quiet`;
  const { kvctl } = await editing(t, `${put}; echo mine > "$1"`);
  await kv.put("edit/raced", "before");
  const raced = await kvctl("edit", "edit/raced");
  t.is(raced.exitCode, 1);
  t.regex(
    raced.stderr,
    /"edit\/raced" was changed meanwhile, at revision \d+; nothing was written/,
  );
  t.regex(raced.stderr, /\n {2}- theirs\n {2}\+ mine\n/);
  t.is(await readFile(kept(raced.stderr), "utf8"), "mine\n");
  t.is((await kv.get("edit/raced"))?.text(), "theirs");
});

test("an editor that fails, or is none, writes nothing", async (t) => {
  await kv.put("edit/kept", "before");
  const { kvctl: failing } = await editing(t, 'echo changed > "$1"; exit 3');
  const failed = await failing("edit", "edit/kept");
  t.is(failed.exitCode, 1);
  t.regex(failed.stderr, /editor .* ended with 3; nothing was written/);
  t.is(await readFile(kept(failed.stderr), "utf8"), "changed\n");
  const none = await kvctl.with({ environment: { VISUAL: "/no/such/editor" } })(
    "edit",
    "edit/kept",
  );
  t.is(none.exitCode, 2);
  const nowhere = kvctl.with({ environment: { PATH: "/nowhere" } });
  t.regex((await nowhere("edit", "edit/kept")).stderr, /set VISUAL or EDITOR/);
  t.is((await kv.get("edit/kept"))?.text(), "before");
  await kv.put("edit/kept", ALL_BYTES);
  t.is((await failing("edit", "edit/kept")).exitCode, 6);
});

test("every byte goes through swap, cas and edit as it is", async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, "all");
  await writeFile(file, ALL_BYTES);
  await kv.put("bytes", "x");
  await kvctl.with({ stdin: ALL_BYTES })("swap", "bytes", "-");
  const swapped = await kvctl("swap", "bytes", "-i", file, "--output", "raw");
  t.true(swapped.stdoutBytes.equals(ALL_BYTES));
  t.is((await kvctl("cas", "bytes", "--expected", file, "y")).exitCode, 0);
  t.is((await kvctl.with({ stdin: ALL_BYTES })("cas", "bytes", "y", "-")).exitCode, 0);
  const editor = await editing(t, 'cat "$1" "$1" > "$SEEN"; cat "$SEEN" > "$1"');
  t.is((await editor.kvctl("edit", "bytes", "--binary")).exitCode, 0);
  const edited = Buffer.from((await kv.get("bytes"))?.bytes ?? []);
  t.true(edited.equals(Buffer.concat([ALL_BYTES, ALL_BYTES])));
});

test("processes that count at once lose nothing", async (t) => {
  const ended = await Promise.all(Array.from({ length: 6 }, () => kvctl("incr", "count")));
  t.deepEqual(ended.map(({ stdout }) => stdout).sort(), ["1\n", "2\n", "3\n", "4\n", "5\n", "6\n"]);
});

/** kvctl on a terminal, to which lines are typed. */
async function onTerminal(t: ExecutionContext, words: string, typed: string) {
  const script = ["script", "-qec", `"${NODE}" "${BUNDLED_KVCTL}" ${words}`, "/dev/null"] as const;
  const environment = { KVCTL_SERVER: address, TERM: "xterm", NO_COLOR: "1" };
  return run(t, script, { stdin: typed, environment });
}

test("txn asks on a terminal, takes a line with a mistake anew, and asks before it sends", async (t) => {
  await kv.put("dialog", "1");
  const lines = ["exists(dialog", "exists(dialog)", "", "put dialog 2", "", "get dialog", "", "y"];
  const { exitCode, stdout } = await onTerminal(t, "txn", `${lines.join("\n")}\n`);
  t.is(exitCode, 0, stdout);
  t.regex(stdout, /this bracket is not closed/);
  t.regex(stdout, /exists\(dialog\)\r\n--\r\nput dialog 2\r\n--\r\nget dialog\r\n/);
  t.is((await kv.get("dialog"))?.text(), "2");
});

test("txn sends nothing unless that is wanted", async (t) => {
  const no = await onTerminal(t, "txn", "\nput dialog/no 1\n\n\nn\n");
  t.is(no.exitCode, 1);
  t.regex(no.stdout, /nothing was sent/);
  t.is((await onTerminal(t, "txn", "\nput dialog/no 1\n")).exitCode, 1);
  t.is(await kv.get("dialog/no"), undefined);
  t.is((await kvctl("txn")).exitCode, 2);
});

/** What is printed for buf, run. */
async function bufRuns(t: ExecutionContext, ...args: readonly string[]) {
  const { exitCode, stdout: line, stderr } = await kvctl("--print-curl", "buf", ...args);
  t.is(exitCode, 0, stderr);
  const { stdout, ...ended } = await run(t, ["sh", "-c", `npx ${line}`], { folder: PROJECT });
  t.is(ended.exitCode, 0, ended.stderr);
  return JSON.parse(stdout);
}

test("buf curl does what kvctl prints for it", async (t) => {
  const key = 'curl/it\'s "quoted" $HOME 🦒';
  const { revision } = await bufRuns(t, "put", key, "valué", "--ttl", "1h");
  t.is((await kv.get(key))?.modRevision, Number(revision));
  t.is((await kvctl("get", key)).stdout, "valué\n");
  const { kv: got } = await bufRuns(t, "get", key);
  t.is(Buffer.from(got.value, "base64").toString(), "valué");
  const txn = [
    "txn",
    `exists("curl/it's \\"quoted\\" $HOME 🦒")`,
    "--",
    "del",
    "--prefix",
    "curl/",
  ];
  t.like(await bufRuns(t, ...txn), { succeeded: true, results: [{ delete: { deleted: "1" } }] });
  t.is(await kv.get(key), undefined);
});

test("a call is printed without a server, and tells when it is not all", async (t) => {
  const nowhere = kvctl.with({ environment: { KVCTL_SERVER: "127.0.0.1:1" } });
  t.deepEqual(rest(await nowhere("get", "a", "--print-grpcurl")), {
    exitCode: 0,
    stdout: `grpcurl -plaintext -d '{"key":"a"}' 127.0.0.1:1 kvd.v1.KvService/Get\n`,
    stderr: "",
  });
  t.regex((await nowhere("incr", "a", "--print-grpcurl")).stderr, /what follows depends/);
  t.regex((await nowhere("ls", "--print-grpcurl")).stderr, /pageToken/);
  const environment = { KVCTL_PRINT_CURL: "buf", KVCTL_OUTPUT: "jsonl" };
  const { stdout } = await kvctl.with({ environment })("delete", "a");
  t.like(JSON.parse(stdout), { method: "kvd.v1.KvService/Delete", request: { key: "a" } });
  t.is((await nowhere("get", "--print-grpcurl")).exitCode, 2);
  t.is((await nowhere("get", "a", "--print-curl", "wget")).exitCode, 2);
});

function rest({ exitCode, stdout, stderr }: Awaited<ReturnType<Kvctl>>) {
  return { exitCode, stdout, stderr };
}

test("a server that is down is told by every verb, with its exit code", async (t) => {
  const environment = { KVCTL_SERVER: "127.0.0.1:1", EDITOR: "true" };
  const lines = [
    "incr a",
    "swap a b",
    "cas a b c",
    "mv a b",
    "ttl a",
    "touch a",
    "edit a",
    "history a",
  ];
  const ended = lines.map((line) => kvctl.with({ environment })(...line.split(" ")));
  for (const [at, { exitCode, stderr }] of (await Promise.all(ended)).entries()) {
    t.is(exitCode, 3, lines[at]);
    t.regex(stderr, /^kvctl: (?:cannot reach|lost the connection to) kvd .*\n$/, lines[at]);
  }
});
