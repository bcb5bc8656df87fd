// The table of exit codes, row by row, by processes: what kvctl ends with, and that an error is one
// line that helps. And its surroundings: pipes, terminals that are narrow, servers that are no kvd.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import {
  greetingServer,
  httpServer,
  silentServer,
  statusServer,
} from "../support/other-servers.js";
import {
  BUNDLED_KVCTL,
  type Ended,
  HookScope,
  type Kvctl,
  kvctlFor,
  NODE,
  RunningProcess,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

const STATUS = { permissionDenied: 7, internal: 13, dataLoss: 15, unauthenticated: 16 };

const scope = new HookScope();
let address: string;
let kvctl: Kvctl;

test.before(async () => {
  ({ address } = await startKvd(scope, { args: ["--store-max-bytes", "1MiB"] }));
  kvctl = kvctlFor(scope, address, BUNDLED_KVCTL);
});

test.after.always(() => scope.end());

/** It ends with the code, says nothing else, and says why in one line. */
function failsWith(t: ExecutionContext, ended: Ended, exitCode: number, says: RegExp): void {
  const { stderr } = ended;
  t.is(ended.exitCode, exitCode, stderr);
  t.is(ended.stdout, "");
  t.regex(stderr, /^kvctl: [^\n]+\n$/);
  t.regex(stderr, says);
  t.notRegex(stderr, /\n\s+at |undefined|\[object/);
}

const at = (server: string) => kvctlFor(scope, server, BUNDLED_KVCTL);

test("0: done", async (t) => {
  t.like(await kvctl("put", "done", "1", "--quiet"), { exitCode: 0, stdout: "", stderr: "" });
  t.like(await kvctl("get", "done"), { exitCode: 0, stdout: "1\n", stderr: "" });
  t.is((await kvctl("--help")).exitCode, 0);
});

test("1: a negative answer", async (t) => {
  failsWith(t, await kvctl("get", "absent"), 1, /absent/);
  failsWith(t, await kvctl("delete", "absent"), 1, /nothing was deleted/);
  await kvctl("put", "held", "1");
  failsWith(t, await kvctl("put", "held", "2", "--if-absent"), 1, /revision/);
  const txn = ["txn", "--exit-code", "exists(absent)", "--", "get", "held", "--", "get", "held"];
  t.is((await kvctl(...txn)).exitCode, 1);
});

test("2: what was typed cannot be meant", async (t) => {
  failsWith(t, await kvctl("gte", "k"), 2, /did you mean get/);
  failsWith(t, await kvctl("get", "k", "--outptu", "json"), 2, /did you mean --output/);
  failsWith(t, await kvctl("get", "k", "--key-encoding", "latin1"), 2, /text, hex, base64/);
  failsWith(t, await kvctl("get", "k", "--server", "nowhere"), 2, /--server/);
  failsWith(t, await at("h:x")("get", "k"), 2, /KVCTL_SERVER/);
  failsWith(t, await kvctl("import", "no-such-file"), 2, /no-such-file/);
  const { exitCode, stdout, stderr } = await kvctl();
  t.like({ exitCode, stdout }, { exitCode: 2, stdout: "" });
  t.regex(stderr, /Usage: kvctl/);
});

test("3: no server, or one that speaks something else", async (t) => {
  const { address: gone, process } = await startKvd(t);
  await process.kill();
  const unreached: [server: string, says: RegExp][] = [
    [gone, /cannot reach kvd at .*refused; start one/],
    ["unix:/no/such/socket", /cannot reach kvd at unix:\/no\/such\/socket: there is no such/],
    [await httpServer(t), /does not speak gRPC/],
    [await greetingServer(t), /does not speak gRPC/],
  ];
  for (const [server, says] of unreached) {
    for (const args of [
      ["get", "k"],
      ["watch", "k"],
    ]) {
      failsWith(t, await at(server)(...args), 3, says);
    }
  }
});

test("4: a server that hangs", async (t) => {
  const silent = at(await silentServer(t));
  const verbs = [["get", "k"], ["watch", "k"], ["stat"], ["top"], ["bench"]];
  const ended = verbs.map((args) => silent(...args, "--timeout", "300ms"));
  for (const each of await Promise.all(ended)) {
    failsWith(t, each, 4, /no answer from kvd at .* within 300ms.*--timeout/);
  }
});

test("5: denied", async (t) => {
  for (const status of [STATUS.permissionDenied, STATUS.unauthenticated]) {
    const server = await statusServer(t, { status, message: "no rights for it" });
    for (const args of [
      ["get", "k"],
      ["watch", "k"],
    ]) {
      failsWith(t, await at(server)(...args), 5, /denied by kvd at .*no rights for it/);
    }
  }
});

test("6: invalid, or too large", async (t) => {
  failsWith(t, await kvctl("get", ""), 6, /key/);
  failsWith(t, await kvctl("put", "k".repeat(9_000), "v"), 6, /8192|8 KiB/);
  const large = kvctl.with({ stdin: Buffer.alloc(2 * 1024 * 1024) });
  failsWith(t, await large("put", "large", "-"), 6, /large|limit/);
  failsWith(t, await kvctl("get", "k", "--rev", "999999999"), 6, /kvctl status/);
});

test("7: compacted history", async (t) => {
  const own = await startKvd(t);
  const kv = connect(own.address);
  t.teardown(() => kv.close());
  for (const value of ["1", "2"]) await kv.put("k", value);
  await kv.maintenance.compact(3);
  failsWith(t, await at(own.address)("get", "k", "--rev", "2"), 7, /compact.*--rev/);
  failsWith(t, await at(own.address)("watch", "k", "--rev", "2", "--quiet"), 7, /compact/);
});

test("8: done in part", async (t) => {
  const file = join(await temporaryFolder(t), "lines.jsonl");
  await writeFile(file, '{"key":"part/a","value":"1"}\nbroken\n{"key":"part/b","value":"2"}\n');
  const { exitCode, stderr } = await kvctl("import", file, "--keep-going");
  t.is(exitCode, 8, stderr);
  t.regex(stderr, /line 2/);
  const watch = ["watch", "part/a", "--include-current", "--rev", "1"];
  t.is((await kvctl(...watch)).exitCode, 2);
  t.is((await kvctl("watch", "part/a", "--rev", "1", "--max", "1", "--", "false")).exitCode, 8);
});

test("9: refused for now", async (t) => {
  const put = kvctl.with({ stdin: Buffer.alloc(1024 * 1024) });
  failsWith(t, await put("put", "full", "-"), 9, /--store-max-bytes/);
});

test("70: an error that nobody can do anything about", async (t) => {
  for (const status of [STATUS.internal, STATUS.dataLoss]) {
    const server = await statusServer(t, { status, message: "the store is upside down" });
    failsWith(t, await at(server)("get", "k"), 70, /upside down/);
  }
});

for (const [signal, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`${exitCode}: ${signal}`, async (t) => {
    const environment = { KVCTL_SERVER: address };
    const command = [NODE, BUNDLED_KVCTL, "stat", "--interval", "20ms"] as const;
    const stat = new RunningProcess(t, command, { environment });
    await stat.output((stdout) => stdout.split("\n").length > 3 || undefined);
    stat.signal(signal);
    t.like(await stat.ended, { exitCode, stderr: "" });
  });
}

test("the table is told by help, for people and for machines", async (t) => {
  const { stdout } = await kvctl("--help");
  const { exitCodes } = JSON.parse((await kvctl("help", "--json")).stdout) as {
    exitCodes: { code: number; meaning: string }[];
  };
  t.deepEqual(
    exitCodes.map(({ code }) => code),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 130, 143],
  );
  for (const { code, meaning } of exitCodes) t.true(stdout.includes(`${code}  ${meaning}`));
});

test("a pipe that closes early is a clean end for what goes on for ever, too", async (t) => {
  const environment = { KVCTL_SERVER: address };
  for (const args of ["stat --interval 10ms", "top --for 0s", "help --json"]) {
    const pipe = `"${NODE}" "${BUNDLED_KVCTL}" ${args} | head -n 1 >/dev/null; echo "$\{PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run(t, ["bash", "-c", pipe], { environment });
    t.is(stdout, "0\n", args);
    t.notRegex(stderr, /kvctl:|EPIPE|at /, args);
  }
});

/** What a terminal of so many columns gets to see. */
async function onTerminal(
  t: ExecutionContext,
  columns: number,
  command: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const environment = { KVCTL_SERVER: address, TERM: "xterm", ...more };
  const line = `stty cols ${columns} && "${NODE}" "${BUNDLED_KVCTL}" ${command}`;
  const script = ["script", "--quiet", "--return", "--command", line, "/dev/null"] as const;
  const { stdout, exitCode } = await run(t, script, { environment });
  t.is(exitCode, 0, stdout);
  return stdout.replaceAll("\r", "");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const TO_COLUMN = /\u001b\[\d*G/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const ESCAPES = /\u001b(?:\[[0-9;?]*[A-Za-z]|[78])/g;

test("a terminal of 40 columns gets no line that is longer", async (t) => {
  await kvctl(
    "put",
    "narrow/a-key-that-is-rather-long",
    "a value that is longer than the terminal",
  );
  for (const command of [
    "range --prefix narrow/ --output table",
    "ls narrow/ -l --output table",
    "status --output table",
    "status --limits --output table",
    "top --largest",
    "stat --count 1",
  ]) {
    const shown = (await onTerminal(t, 40, command)).replace(TO_COLUMN, "\n").replace(ESCAPES, "");
    for (const line of shown.split("\n")) t.true([...line].length <= 40, `${command}: ${line}`);
    t.regex(shown, /\d/, command);
  }
  const cells = (await onTerminal(t, 40, "range --prefix narrow/ --output table")).matchAll(
    /│ (\S[^│]*?) *│ ([^│]*?) *│/g,
  );
  const keys = [...cells].slice(1).map(([, key]) => key);
  t.is(keys.join(""), "narrow/a-key-that-is-rather-long");
});

test("without colours there are none", async (t) => {
  const color = "\u001b[1m";
  t.true((await onTerminal(t, 80, "stat --count 1")).includes(color));
  t.false((await onTerminal(t, 80, "stat --count 1", { NO_COLOR: "1" })).includes(color));
  const forced = kvctl.with({ environment: { FORCE_COLOR: "1" } });
  t.true((await forced("stat", "--count", "1")).stdout.includes(color));
  t.false((await kvctl("stat", "--count", "1")).stdout.includes("\u001b"));
});
