// kvctl as a process: what it prints, what it reads, what it ends with. Each test has keys of its
// own on one server, or a server of its own. Its grammar and formats have unit tests.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import {
  BUNDLED_KVCTL,
  HookScope,
  type Kvctl,
  kvctlFor,
  NODE,
  RunningProcess,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

const scope = new HookScope();
let address: string;

test.before(async () => {
  ({ address } = await startKvd(scope));
});

test.after.always(() => scope.end());

const kvctl: Kvctl = Object.assign((...args: readonly string[]) => shared()(...args), {
  with: (options: Parameters<Kvctl["with"]>[0]) => shared().with(options),
});

function shared(): Kvctl {
  return kvctlFor(scope, address, BUNDLED_KVCTL);
}

/** A server of the test's own, and kvctl for it. */
async function own(t: ExecutionContext, ...args: readonly string[]) {
  const server = await startKvd(t, { args });
  const kv = connect(server.address);
  t.teardown(() => kv.close());
  return { server, kv, kvctl: kvctlFor(t, server.address, BUNDLED_KVCTL) };
}

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

test("every command works, one after the other", async (t) => {
  const { kvctl } = await own(t);
  const prints = async (args: readonly string[], stdout: string) =>
    t.like(await kvctl(...args), { exitCode: 0, stdout, stderr: "" }, args.join(" "));
  await prints(["put", "city/KE/Nairobi", "4397073"], "revision 2\n");
  await prints(["put", "city/KE/Kisumu", "397957"], "revision 3\n");
  await prints(["put", "city/UG/Kampala", "1680600", "--prev"], "revision 4\nprevious: none\n");
  await prints(["get", "city/KE/Nairobi"], "4397073\n");
  await prints(["ls", "city/"], "city/KE/\ncity/UG/\n");
  await prints(["ls", "--recursive", "--limit", "1", "--quiet"], "city/KE/Kisumu\n");
  await prints(
    ["range", "--start", "city/KE/L", "--end", "city/V"],
    "city/KE/Nairobi\t4397073\ncity/UG/Kampala\t1680600\n",
  );
  await prints(
    ["range", "--all", "--keys-only", "--reverse", "--limit", "1", "--quiet"],
    "city/UG/Kampala\n",
  );
  await prints(["count", "--prefix", "city/KE/"], "2\n");
  await prints(
    ["txn", "!exists(capital)", "--", "put", "capital", "Nairobi", ";", "get", "capital"],
    "succeeded, revision 5\nput capital: revision 5\nget capital: Nairobi\n",
  );
  await prints(["delete", "--prefix", "city/UG/"], "deleted 1, revision 6\n");
  await prints(["del", "capital", "--prev"], "deleted 1, revision 7\ncapital\tNairobi\n");
  await prints(
    ["export"],
    '{"key":"city/KE/Kisumu","value":"397957"}\n{"key":"city/KE/Nairobi","value":"4397073"}\n',
  );
  await prints(
    ["watch", "city/UG/Kampala", "--rev", "1", "--max", "2", "--quiet"],
    "      4 put     city/UG/Kampala\t1680600\n      6 delete  city/UG/Kampala\t(deleted)\n",
  );
  const lines = '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n';
  const { stdout } = await kvctl.with({ stdin: lines })("import", "-", "--output", "json");
  t.like(JSON.parse(stdout), { written: 2, failed: 0, revision: 8 });
  t.like(JSON.parse((await kvctl("status", "--output", "json")).stdout), { revision: 8, keys: 4 });
  await prints(["compact", "now"], "compact revision 8\n");
});

test("help tells of every verb, for people and for machines", async (t) => {
  const { exitCode, stdout } = await kvctl("help", "--json");
  t.is(exitCode, 0);
  const { commands } = JSON.parse(stdout);
  t.true(commands.length >= 14);
  const help = (await kvctl("help")).stdout;
  for (const { name } of commands) t.true(help.includes(name), name);
  t.regex((await kvctl("help", "put")).stdout, /Examples:/);
  t.like(await kvctl("--version"), { exitCode: 0, stderr: "" });
});

test("a value comes from an argument, from standard input, or from a file", async (t) => {
  const file = join(await temporaryFolder(t), "value");
  await writeFile(file, ALL_BYTES);
  const raw = async (key: string) => (await kvctl("get", key, "--output", "raw")).stdoutBytes;
  await kvctl("put", "form/argument", "two words");
  t.is((await raw("form/argument")).toString(), "two words");
  await kvctl("put", "form/empty", "");
  t.is((await raw("form/empty")).length, 0);
  await kvctl.with({ stdin: ALL_BYTES })("put", "form/stdin", "-");
  t.true((await raw("form/stdin")).equals(ALL_BYTES));
  await kvctl.with({ stdin: "" })("put", "form/nothing", "-");
  t.is((await raw("form/nothing")).length, 0);
  await kvctl("put", "form/file", "-i", file);
  t.true((await raw("form/file")).equals(ALL_BYTES));
  await kvctl("put", "form/dash", "--", "-");
  t.is((await raw("form/dash")).toString(), "-");
  await kvctl("put", "form/minus", "--", "-5");
  t.is((await raw("form/minus")).toString(), "-5");
});

test("a value goes into a file as it is", async (t) => {
  const file = join(await temporaryFolder(t), "value");
  await kvctl.with({ stdin: ALL_BYTES })("put", "file", "-");
  t.like(await kvctl("get", "file", "-o", file), { exitCode: 0, stdout: "" });
  t.true((await readFile(file)).equals(ALL_BYTES));
});

const KEYS = [
  "two words",
  " blanks around ",
  "lines\nof\ttext\r\n",
  "🦒/żyrafa/長頸鹿",
  "quotes ' \" ` $HOME \\n",
  "*?[a-z]{b,c}",
  "e\u0301",
];

for (const key of KEYS) {
  test(`the key ${JSON.stringify(key)} is taken and given as it is`, async (t) => {
    t.is((await kvctl("put", key, "1")).exitCode, 0);
    t.is((await kvctl("get", key)).stdout, "1\n");
    const { stdout } = await kvctl("range", "--prefix", key, "--output", "jsonl");
    t.like(JSON.parse(stdout), { key, value: "1" });
    t.is((await kvctl("delete", key)).exitCode, 0);
  });
}

test("a key that starts with a dash stands after --", async (t) => {
  t.is((await kvctl("put", "--", "--prefix", "1")).exitCode, 0);
  t.is((await kvctl("get", "--", "--prefix")).stdout, "1\n");
  t.is((await kvctl("put", "-k", "1")).exitCode, 2);
});

test("keys and values that are no text go through JSON in base64", async (t) => {
  const { kvctl } = await own(t);
  const key = Buffer.concat([Buffer.from("k"), ALL_BYTES]);
  const put = kvctl.with({ stdin: ALL_BYTES });
  await put("put", key.toString("hex"), "-", "--key-encoding", "hex");
  const line = JSON.stringify({
    key64: key.toString("base64"),
    value64: ALL_BYTES.toString("base64"),
  });
  t.is((await kvctl("export")).stdout, `${line}\n`);
  await kvctl("delete", "--all", "--yes");
  t.is((await kvctl.with({ stdin: `${line}\n` })("import", "-")).exitCode, 0);
  t.is((await kvctl("export")).stdout, `${line}\n`);
  const got = await kvctl(
    "get",
    key.toString("base64"),
    "--key-encoding",
    "base64",
    "--output",
    "raw",
  );
  t.true(got.stdoutBytes.equals(ALL_BYTES));
});

test("a ttl is kept in an export, and on its way in again", async (t) => {
  const { kvctl, kv } = await own(t);
  await kvctl("put", "k", "v", "--ttl", "1h");
  const { ttl, ...rest } = JSON.parse((await kvctl("export")).stdout);
  t.deepEqual(rest, { key: "k", value: "v" });
  t.regex(ttl, /^3(?:600|59\d)(?:\.\d+)?s$/);
  const lines = JSON.stringify({ key: "l", value: "", ttl });
  t.is((await kvctl.with({ stdin: lines })("import", "-")).exitCode, 0);
  t.not((await kv.get("l"))?.leaseId, 0n);
});

const ends = test.macro({
  async exec(t, exitCode: number, args: readonly string[], stdin?: string) {
    const ended = await kvctl.with(stdin === undefined ? {} : { stdin })(...args);
    t.is(ended.exitCode, exitCode, ended.stderr);
    if (exitCode === 0) return;
    // One line for people; never a stack.
    t.regex(ended.stderr, /^kvctl: [^\n]+\n/);
    t.notRegex(ended.stderr, /^\s+at /m);
  },
  title: (_, exitCode: number, args: readonly string[], _stdin?: string) =>
    `kvctl ${args.join(" ").slice(0, 80)} ends with ${exitCode}`,
});

test(ends, 0, ["delete", "absent", "--missing-ok"]);
test(ends, 0, ["get", "absent", "--default", "1"]);
test(ends, 0, ["range", "--prefix", "absent"]);
test(ends, 1, ["lease", "info", "7"]);
test(ends, 1, ["lease", "keep-alive", "7"]);
test(ends, 1, ["lease", "keep-alive", "-7", "--once"]);
test(ends, 1, ["lease", "revoke", "7"]);
test(ends, 2, ["lease", "grant", "30"]);
test(ends, 2, ["lease", "info", "seven"]);
test(ends, 2, ["compact", "yesterday"]);
test(ends, 2, ["snapshot", "save", "/nonsense/file"]);
test(ends, 2, ["watch", "k", "--quiet", "--checkpoint", "/nonsense/file"]);
test(ends, 6, ["lease", "grant", "1ms"]);
test(ends, 6, ["lease", "grant", "4000d"]);
test(ends, 6, ["compact", "0"]);
test(ends, 6, ["compact", "9007199254740991"]);
test(ends, 1, ["get", "absent"]);
test(ends, 1, ["delete", "absent"]);
test(ends, 1, ["put", "absent/1", "1", "--expect-rev", "7"]);
test(ends, 1, ["put", "absent/2", "1", "--lease", "7"]);
test(ends, 2, ["put", "k"]);
test(ends, 2, ["get"]);
test(ends, 2, ["nonsense"]);
test(ends, 2, ["get", "k", "--nonsense"]);
test(ends, 2, ["get", "k", "--rev", "x"]);
test(ends, 2, ["delete", "--all"]);
test(ends, 2, ["txn", "mod(k)", "--", "get", "k"]);
test(ends, 2, ["put", "k", "-i", "/nonsense/file"]);
test(ends, 2, ["status", "--server", "nonsense:port"]);
test(ends, 3, ["status", "--server", "unix:/nonsense/kvd.sock"]);
test(ends, 6, ["put", "", "1"]);
test(ends, 6, ["put", "k".repeat(8193), "1"]);
test(ends, 6, ["get", "k", "--rev", "9007199254740991"]);
test(ends, 6, ["put", "k", "v", "--ttl", "1ms"]);
test(ends, 6, ["put", "k", "{", "--json"]);
test(ends, 6, ["txn", "--json", "-"], "nonsense");
test(ends, 8, ["import", "-"], '{"key":"line","value":"1"}\nnonsense\n');

test("the else branch of a txn ends with 1 when it is asked to", async (t) => {
  const txn = ["exists(absent)", "--", "get", "a", "--", "get", "b"];
  t.is((await kvctl("txn", ...txn)).exitCode, 0);
  t.is((await kvctl("txn", "--exit-code", ...txn)).exitCode, 1);
});

test("a server that is not there ends with 3, and says how to start one", async (t) => {
  const { server, kvctl } = await own(t);
  await server.process.kill();
  const { exitCode, stdout, stderr } = await kvctl("put", "k", "v");
  t.is(exitCode, 3);
  t.is(stdout, "");
  t.true(stderr.includes(server.address) && stderr.includes("kvd"));
  t.is(stderr.split("\n").length, 2);
});

test("a server that goes away under a watch that does not reconnect ends it with 3 and its revision", async (t) => {
  const { server, kv } = await own(t);
  const environment = { KVCTL_SERVER: server.address };
  const watch = new RunningProcess(
    t,
    [NODE, BUNDLED_KVCTL, "watch", "--all", "--rev", "1", "--no-reconnect"],
    {
      environment,
    },
  );
  const { revision } = await kv.put("k", "v");
  await watch.output((stdout) => stdout.includes("put") || undefined);
  server.process.signal("SIGTERM");
  const { exitCode, stderr } = await watch.ended;
  t.is(exitCode, 3);
  t.regex(stderr, new RegExp(`--rev ${revision + 1}\\b`));
});

test("a server that does not answer ends with 4 at the deadline", async (t) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.resume())).listen(0, "127.0.0.1");
  t.teardown(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as { readonly port: number };
  const folder = await temporaryFolder(t);
  const kvctl = kvctlFor(t, `127.0.0.1:${port}`);
  for (const args of [
    ["get", "k"],
    ["lease", "keep-alive", "7"],
    ["compact", "now"],
    ["snapshot", "save", join(folder, "file")],
  ]) {
    const { exitCode, stderr } = await kvctl(...args, "--timeout", "300ms");
    t.true(exitCode === 4, `${args.join(" ")}: ${exitCode} ${stderr}`);
  }
  t.deepEqual(await readdir(folder), []);
});

test("compacted history ends with 7", async (t) => {
  const { kv, kvctl } = await own(t);
  await kv.put("k", "1");
  await kv.put("k", "2");
  await kv.maintenance.compact(3);
  t.is((await kvctl("get", "k", "--rev", "2")).exitCode, 7);
  t.is((await kvctl("watch", "k", "--rev", "2")).exitCode, 7);
});

test("a refusal for now ends with 9", async (t) => {
  const { kvctl } = await own(t, "--store-max-bytes", "1MiB");
  const put = kvctl.with({ stdin: Buffer.alloc(1024 * 1024) });
  const { exitCode, stderr } = await put("put", "k", "-");
  t.is(exitCode, 9, stderr);
  t.regex(stderr, /--store-max-bytes/);
  t.is((await kvctl("put", "k", "small")).exitCode, 0);
});

for (const [signal, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`${signal} ends a watch with ${exitCode}`, async (t) => {
    const environment = { KVCTL_SERVER: address };
    const args = ["watch", `signal/${signal}`, "--include-current"];
    const watch = new RunningProcess(t, [NODE, BUNDLED_KVCTL, ...args], { environment });
    await kvctl("put", `signal/${signal}`, "1");
    await watch.output((stdout) => stdout.includes(`signal/${signal}`) || undefined);
    watch.signal(signal);
    t.is((await watch.ended).exitCode, exitCode);
  });
}

test("a watch runs a command for each change", async (t) => {
  const { kv, kvctl } = await own(t);
  await kv.put("a", "one");
  await kv.delete("a");
  const script = 'echo "$KVCTL_WATCH_TYPE $KVCTL_WATCH_KEY $KVCTL_WATCH_REVISION $(cat)"';
  const watch = ["watch", "--all", "--rev", "1", "--max", "2", "--", "sh", "-c", script];
  t.like(await kvctl(...watch), { exitCode: 0, stdout: "put a 2 one\ndelete a 3 \n" });
  const failing = ["watch", "--all", "--rev", "1", "--max", "1", "--", "false"];
  t.is((await kvctl(...failing)).exitCode, 8);
});

test("a reader that has seen enough is a clean end", async (t) => {
  const { kv, server } = await own(t);
  const value = "v".repeat(100_000);
  for (let index = 0; index < 40; index += 1) await kv.put(`k${index}`, value);
  const pipe = `"${NODE}" "${BUNDLED_KVCTL}" export | head -n 1 | wc -l; echo "$\{PIPESTATUS[0]}"`;
  const environment = { KVCTL_SERVER: server.address };
  const ended = await run(t, ["bash", "-c", pipe], { environment });
  t.like(ended, { stdout: "1\n0\n", stderr: "" });
});

test("every verb that prints a lot ends well when its reader has seen enough", async (t) => {
  const { kv, server } = await own(t);
  for (let index = 0; index < 3_000; index += 1) {
    await kv.put(`k${index}`, "", { ttl: "1h" });
  }
  const environment = { KVCTL_SERVER: server.address };
  for (const args of [
    "help --json",
    "range --all --output json",
    "ls --output jsonl",
    "lease list",
    "lease list --output json",
    "watch --all --rev 1 --quiet",
    "snapshot save - --quiet",
  ]) {
    const pipe = `"${NODE}" "${BUNDLED_KVCTL}" ${args} | head -c 1 >/dev/null; echo "$\{PIPESTATUS[0]}"`;
    const ended = await run(t, ["bash", "-c", pipe], { environment });
    t.like(ended, { stdout: "0\n", stderr: "" }, args);
  }
});

test("colours follow the terminal, NO_COLOR and FORCE_COLOR", async (t) => {
  await kvctl("put", "colour/a/b", "");
  const color = "\u001b[";
  const ls = ["ls", "colour/"];
  t.false((await kvctl(...ls)).stdout.includes(color));
  t.true((await kvctl.with({ environment: { FORCE_COLOR: "1" } })(...ls)).stdout.includes(color));
  const onTerminal = async (more: Readonly<Record<string, string>>) => {
    const environment = { KVCTL_SERVER: address, TERM: "xterm", ...more };
    const command = `"${NODE}" "${BUNDLED_KVCTL}" ls colour/`;
    const script = ["script", "--quiet", "--return", "--command", command, "/dev/null"] as const;
    return (await run(t, script, { environment })).stdout.includes(color);
  };
  t.true(await onTerminal({}));
  t.false(await onTerminal({ NO_COLOR: "1" }));
});

test("flags go before the environment", async (t) => {
  const environment = { KVCTL_SERVER: "127.0.0.1:1", KVCTL_OUTPUT: "json" };
  const ended = await kvctl.with({ environment })(
    "count",
    "--all",
    "--server",
    address,
    "--output",
    "text",
  );
  t.is(ended.exitCode, 0);
  t.regex(ended.stdout, /^\d+\n$/);
});

test("arguments that are not UTF-8 are refused, never repaired; what stands for them is not", async (t) => {
  const { server, kv } = await own(t);
  const environment = { KVCTL_SERVER: server.address };
  const shell = (script: string) => run(t, ["/bin/sh", "-c", script], { environment });
  const kvctl = `"${NODE}" "${BUNDLED_KVCTL}"`;
  for (const words of ["\"$(printf 'bad\\377')\" v", "k \"$(printf 'v\\376')\""]) {
    const { exitCode, stderr } = await shell(`${kvctl} put ${words}`);
    t.is(exitCode, process.platform === "linux" ? 2 : 0);
    if (process.platform === "linux") t.regex(stderr, /not UTF-8.*--key-encoding/);
  }
  if (process.platform === "linux") t.is((await kv.count({ all: true })).count, 0);
  t.is((await shell(`${kvctl} put 'a\uFFFDb' v`)).exitCode, 0);
});
