// kvctl shell as a process: on a terminal, where somebody types, and with scripts.

import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import {
  BUNDLED_KVCTL,
  HookScope,
  kvctlFor,
  NODE,
  RunningProcess,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";
import { Terminal } from "../support/terminal.js";

const scope = new HookScope();
let address: string;

test.before(async () => {
  ({ address } = await startKvd(scope));
});

test.after.always(() => scope.end());

const SHELL = `"${NODE}" "${BUNDLED_KVCTL}" shell`;
const prompt = () => `${address}> `;

interface Typing {
  readonly terminal: Terminal;
  readonly history: string;
  /** Types a line, and gives what is shown up to the next prompt. */
  line(text: string): Promise<string>;
}

async function typing(t: ExecutionContext, server = address): Promise<Typing> {
  const state = await temporaryFolder(t);
  const environment = {
    ...{ KVCTL_SERVER: server, XDG_STATE_HOME: state },
    KVCTL_COMPLETION_TIMEOUT: "20s",
  };
  const terminal = new Terminal(t, SHELL, { environment });
  await terminal.until(`${server}> `);
  const line = (text: string) => terminal.until(`${server}> `, `${text}\r`);
  return { terminal, line, history: join(state, "kvctl/history") };
}

const script = (stdin: string | Uint8Array, ...flags: readonly string[]) =>
  kvctlFor(scope, address).with({ stdin })("shell", ...flags);

test("a shell takes the old systems' commands and kvctl's, in any case, until QUIT", async (t) => {
  const { terminal, line } = await typing(t);
  t.regex(await line('SET old/a "two words"'), /revision \d+\n/);
  t.regex(await line("GET old/a"), /\ntwo words\n/);
  t.regex(await line("kvctl Get old/a --output json"), /"value": "two words"/);
  t.regex(await line("del old/a"), /deleted 1/);
  t.regex(await line("get old/a"), /kvctl: there is no key "old\/a"\n/);
  t.regex(await line("gte old/a"), /did you mean get\?/);
  t.regex(await line("put old/a"), /needs a value.*\nusage: put KEY VALUE/);
  t.regex(await line("put old/a -"), /standard input is where the shell reads/);
  t.regex(await line("shell"), /this is a shell already/);
  t.regex(await line("ping"), /PONG \d/);
  t.regex(await line("help get"), /Examples:/);
  terminal.type("QUIT\r");
  t.is(await terminal.ended(), 0);
});

test("a value of several lines is typed, and one without a newline stays on the terminal", async (t) => {
  const { terminal, line } = await typing(t);
  await terminal.until("...> ", "put lines 'one\r");
  t.regex(await line("two'"), /revision/);
  t.regex(await line("get lines"), /\none\ntwo\n/);
  t.regex(await line("get lines --output raw"), /\ntwo⏎\n/);
  terminal.type("put x 'open\r\u0004");
  t.is(await terminal.ended(), 0);
});

test("Ctrl-C drops a line, and stops a watch, but not the shell", async (t) => {
  const { terminal, line } = await typing(t);
  terminal.type("put never typed");
  await terminal.until("typed");
  await terminal.until(prompt(), "\u0003");
  await terminal.until("watching", "watch interrupted\r");
  await terminal.until(prompt(), "\u0003");
  t.regex(await line("get never --default nothing"), /\nnothing\n/);
  terminal.type("\u0004");
  t.is(await terminal.ended(), 0);
});

test("how long a slow command took is told", async (t) => {
  const { kv, server } = await own(t);
  const { terminal, line } = await typing(t, server);
  await terminal.until("watching", "watch slow --max 1 -- sleep 0.2\r");
  await kv.put("slow", "");
  t.regex(await terminal.until("> "), /\n\(\d+(?:ms|\.\ds)\)\n/);
  t.notRegex(await line("get slow --quiet"), /kvctl/);
});

test("a shell that was stopped with Ctrl-Z goes on where it was", async (t) => {
  const state = await temporaryFolder(t);
  const environment = { KVCTL_SERVER: address, XDG_STATE_HOME: state, PS1: "ready> " };
  const terminal = new Terminal(t, "bash --norc --noprofile -i", { environment });
  await terminal.until("ready> ");
  await terminal.until(prompt(), `${SHELL}\r`);
  await terminal.until("get z/key", "get z/key");
  await terminal.until("ready> ", "\u001a");
  await terminal.until("get z/key", "fg\r");
  await terminal.until("\nback\n", " --default back\r");
  await terminal.until(prompt());
  await terminal.until("ready> ", "\u0004");
  t.pass();
});

test("what is pasted runs line by line, and a question gets the next key, not a command", async (t) => {
  const { kvctl, server } = await own(t);
  const { terminal, line } = await typing(t, server);
  await terminal.until("\npasted\n", "put p/1 pasted\rput p/2 2\rget p/1\r");
  await terminal.until("[y/N] ", "delete --all\r");
  t.regex(await line("n"), /nothing was deleted/);
  t.is((await kvctl("count", "--all")).stdout, "2\n");
  await terminal.until("[y/N] ", "delete --all\r");
  t.regex(await line("y"), /deleted 2/);
});

test("Tab completes verbs, keys from the server, flags and files", async (t) => {
  const { kv, server } = await own(t);
  for (const key of ["city/KE/Nairobi", "city/KE/Mombasa", "it's here"]) await kv.put(key, key);
  const { terminal, line } = await typing(t, server);
  const tab = async (typed: string, completed: string) => {
    if (typed !== "") await terminal.until(typed, typed);
    await terminal.until(completed, "\t");
  };
  await tab("ge", "t ");
  await tab("ci", "ty/");
  await tab("", "KE/");
  await terminal.until("city/KE/", "\t");
  await terminal.until("city/KE/Mombasa", "\t");
  await tab("N", "airobi ");
  t.regex(await line(""), /\ncity\/KE\/Nairobi\n/);
  await tab('GET "it', "'s here\" ");
  t.regex(await line(""), /\nit's here\n/);
  await tab("get it", "\\'s\\ here ");
  await tab("--outp", "ut ");
  t.regex(await line("jsonl"), /"key":"it's here"/);
  await tab("put file -i package.js", "on ");
  t.regex(await line(""), /revision/);
});

test("history comes back in the next shell, without secrets and hidden lines", async (t) => {
  const { terminal, line, history } = await typing(t);
  await line("put history/a 'one  two'");
  await line(" put history/b hidden");
  await line("put history/password hunter2");
  await terminal.until("...> ", 'put history/c "x\r');
  await line('y"');
  await terminal.until("put history/a 'one  two'", "\u001b[A\u001b[A\u001b[A");
  t.regex(await line(""), /revision/);
  await terminal.until("history/pass", "history/pass");
  await terminal.until("put history/password", "\u0012");
  await terminal.until("^C", "\u0003");
  terminal.type("\u0004");
  await terminal.ended();
  t.deepEqual((await readFile(history, "utf8")).split("\n"), [
    "put history/a 'one  two'",
    "put history/password",
    "put history/c $'x\\ny'",
    "put history/a 'one  two'",
    "",
  ]);
  t.is((await stat(history)).mode & 0o777, 0o600);
});

test("a server that goes away is found again by the same shell", async (t) => {
  const folder = await temporaryFolder(t);
  const listen = `unix:${join(folder, "kvd.sock")}`;
  const first = await startKvd(t, { listen });
  const state = await temporaryFolder(t);
  const environment = { KVCTL_SERVER: listen, XDG_STATE_HOME: state };
  const terminal = new Terminal(t, SHELL, { environment }, { columns: 40 });
  await terminal.until("kvd.sock> ");
  await first.process.kill();
  // It cannot be reached, or the connection was there still.
  await terminal.until(" kvd at unix:", "get k --default 1\r");
  await startKvd(t, { listen });
  await terminal.until("\nback\n", "get k --default back\r");
  t.false(terminal.text.includes("internal error"));
});

test("without a server a shell says so, and begins", async (t) => {
  const environment = {
    KVCTL_SERVER: "unix:/nonsense/kvd.sock",
    XDG_STATE_HOME: await temporaryFolder(t),
    NO_COLOR: "1",
  };
  const terminal = new Terminal(t, SHELL, { environment });
  await terminal.until("kvctl: cannot reach kvd at unix:/nonsense/kvd.sock");
  await terminal.until("kvd.sock> ");
  t.false(terminal.raw.includes("\u001b[31m"));
  terminal.type("exit\r");
  t.is(await terminal.ended(), 0);
});

test("a script runs to its end, without a prompt", async (t) => {
  const lines = [
    "# comments, and blank lines",
    "",
    "SET script/a 1 # one",
    "put script/b 'two",
    "lines'",
    "put script/c \\",
    "  3 --quiet",
    "get script/b",
    "range --prefix script/ --keys-only",
    "QUIT",
    "nonsense",
  ];
  const { exitCode, stdout, stderr } = await script(lines.join("\r\n"), "--quiet");
  t.is(exitCode, 0, stderr);
  t.is(stdout, "two\nlines\nscript/a\nscript/b\nscript/c\n");
  t.is(stderr, "");
});

test("a script stops at the first command that fails, with its exit code and its line", async (t) => {
  const lines = "put stop/a 1\nget stop/absent\nput stop/b 2\n";
  const { exitCode, stdout, stderr } = await script(lines);
  t.is(exitCode, 1);
  t.is(stdout.split("\n").length, 2);
  t.regex(stderr, /there is no key "stop\/absent"\nline 2 of standard input ended with 1/);
  const going = await script(lines, "--keep-going");
  t.is(going.exitCode, 8);
  t.is(going.stdout.split("\n").length, 3);
});

test("a broken line of a script ends with 2 and says where", async (t) => {
  for (const [lines, says] of [
    ["get a\nput a 'open\n\n", /begins in line 2: a quote is open/],
    ["nonsense a\n", /no verb "nonsense"[\s\S]*line 1/],
    ["put k -\n", /standard input is where the shell reads/],
    ["get a \\", /begins in line 1/],
  ] as const) {
    const { exitCode, stderr } = await script(`put k v --quiet\n${lines}`.slice(16));
    t.is(exitCode, lines.startsWith("get a\n") ? 1 : 2, stderr);
    if (!lines.startsWith("get a\n")) t.regex(stderr, says);
  }
});

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

test("all 256 byte values go through a shell, escaped or as they are", async (t) => {
  const { kv, server } = await own(t);
  const escaped = [...ALL_BYTES].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  const plain = ALL_BYTES.filter((byte) => byte !== 0x27);
  const lines = Buffer.concat([
    Buffer.from(`put $'e\\xff${escaped}' $'${escaped}'\nput plain '`),
    plain,
    Buffer.from("'\n"),
  ]);
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "script"), lines);
  const ended = await kvctlFor(t, server)("shell", join(folder, "script"));
  t.is(ended.exitCode, 0, ended.stderr);
  const key = Buffer.concat([Buffer.from("e\u00ff", "latin1"), ALL_BYTES]);
  t.true(Buffer.from((await kv.get(key))?.bytes ?? []).equals(ALL_BYTES));
  t.true(Buffer.from((await kv.get("plain"))?.bytes ?? []).equals(Buffer.from(plain)));
});

test("flags of the shell count for each line that has not its own", async (t) => {
  const { exitCode, stdout } = await script(
    "put flags 1\nget flags --output json\nget flags",
    "--output",
    "jsonl",
    "--quiet",
  );
  t.is(exitCode, 0);
  const [put = "", ...rest] = stdout.split("\n");
  t.true(JSON.parse(put).revision > 1);
  t.is(rest[0], "{");
  t.like(JSON.parse(rest.at(-2) ?? ""), { key: "flags", value: "1" });
});

test("many lines use one connection, and a reader that has seen enough ends them", async (t) => {
  const { kv, server } = await own(t);
  const lines = Array.from({ length: 300 }, (_, index) => `put many/${index} ${index}`);
  const ended = await kvctlFor(t, server).with({ stdin: lines.join("\n") })("shell", "--quiet");
  t.is(ended.exitCode, 0, ended.stderr);
  t.is((await kv.count({ prefix: "many/" })).count, 300);
  const pipe = `yes 'get many/1' | ${SHELL} | head -n 1; echo "$\{PIPESTATUS[1]}"`;
  const closed = await run(t, ["bash", "-c", pipe], { environment: { KVCTL_SERVER: server } });
  t.like(closed, { stdout: "1\n0\n", stderr: "" });
});

test("SIGINT ends a script with 130", async (t) => {
  const environment = { KVCTL_SERVER: address };
  const shell = new RunningProcess(t, [NODE, BUNDLED_KVCTL, "shell"], {
    environment,
    stdin: "put signal 1\nwatch signal --include-current\nput signal 2\n",
  });
  await shell.output((stdout) => stdout.includes("signal\t1") || undefined);
  shell.signal("SIGINT");
  t.is((await shell.ended).exitCode, 130);
});

test("a folder that cannot hold a history does not keep a shell from its work", async (t) => {
  const state = await temporaryFolder(t);
  await mkdir(join(state, "kvctl/history"), { recursive: true });
  const environment = { KVCTL_SERVER: address, XDG_STATE_HOME: state };
  const terminal = new Terminal(t, SHELL, { environment });
  await terminal.until(prompt());
  await terminal.until(prompt(), "put no/history 1\r");
  await terminal.until("put no/history 1", "\u001b[A");
  t.regex(await terminal.until(prompt(), "\r"), /revision/);
});

/** A server of the test's own. */
async function own(t: ExecutionContext) {
  const { address: server } = await startKvd(t);
  const kv = connect(server);
  t.teardown(() => kv.close());
  return { server, kv, kvctl: kvctlFor(t, server) };
}
