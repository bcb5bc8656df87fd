// The server that kvctl starts by itself, each in a home of the test's own: when it is started and
// when not, that it is one, that its data stays, and how it is stopped and looked at.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { daemonHome } from "../support/daemon-home.js";
import {
  BUNDLED_KVCTL,
  BUNDLED_KVD,
  type Ended,
  NODE,
  RunningProcess,
  startKvd,
} from "../support/process.js";

/** Ends with a code, and one line that says why. */
function fails(t: ExecutionContext, ended: Ended, exitCode: number, says: RegExp) {
  t.is(ended.exitCode, exitCode, ended.stderr);
  t.regex(ended.stderr, /^kvctl: [^\n]+\n$/);
  t.regex(ended.stderr, says);
}

const started = ({ port }: { readonly port: number }) => `Daemon started on port ${port}\n`;

test("the first call starts the daemon and says so, later ones find it", async (t) => {
  const home = await daemonHome(t);
  const { kvctl, state } = home;
  t.like(await kvctl("put", "x", "42"), { exitCode: 0, stderr: started(home) });
  t.like(await kvctl("get", "x"), { exitCode: 0, stdout: "42\n", stderr: "" });
  const told = JSON.parse((await kvctl("serve", "--status", "--output", "json")).stdout);
  t.like(told, { state: "running", address: home.address, keys: 1, dataDir: join(state, "data") });
  t.like(await kvctl("put", "x", "43"), { exitCode: 0, stderr: "" });
  t.like(await kvctl("get", "x"), { stdout: "43\n" });
  const again = JSON.parse((await kvctl("serve", "--output", "json")).stdout);
  t.like(again, { started: false, pid: told.pid });
  t.is(statSync(state).mode & 0o777, 0o700);
  t.is(statSync(join(state, "kvd.log")).mode & 0o777, 0o600);
});

test("20 first calls at once start one daemon, and each gets its answer", async (t) => {
  const home = await daemonHome(t);
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  const ended = await Promise.all(numbers.map((index) => home.kvctl("put", `k${index}`, "v")));
  t.deepEqual(
    ended.map(({ exitCode }) => exitCode),
    numbers.map(() => 0),
  );
  t.is(ended.map(({ stderr }) => stderr).join(""), started(home));
  t.is((await home.kvctl("count", "--all")).stdout, "20\n");
  t.is(readFileSync(join(home.state, "kvd.log"), "utf8").match(/"listening"/g)?.length, 1);
  t.deepEqual(readdirSync(home.state).sort(), ["data", "kvd.log", "port"]);
});

test("no daemon is started where that is forbidden, or a server was named", async (t) => {
  const { kvctl, address, state } = await daemonHome(t);
  const refused = /connection refused/;
  fails(t, await kvctl("get", "x", "--no-autostart"), 3, refused);
  const off = kvctl.with({ environment: { KVCTL_AUTOSTART: "0" } });
  fails(t, await off("get", "x"), 3, /kvctl serve/);
  fails(t, await kvctl("get", "x", "--server", address), 3, refused);
  const named = kvctl.with({ environment: { KVCTL_SERVER: address } });
  fails(t, await named("put", "x", "1"), 3, refused);
  await kvctl("context", "add", "here", "--server", address, "--use");
  fails(t, await kvctl("get", "x"), 3, /context here/);
  t.false(existsSync(state));
});

test("what asks how things are starts nothing", async (t) => {
  const { kvctl, state } = await daemonHome(t);
  fails(t, await kvctl("status"), 3, /kvctl serve/);
  t.is((await kvctl("serve", "--status")).exitCode, 1);
  fails(t, await kvctl("serve", "--stop"), 1, /no kvd runs/);
  t.is((await kvctl("doctor")).exitCode, 1);
  t.is((await kvctl("context")).exitCode, 0);
  t.is((await kvctl("help")).exitCode, 0);
  t.false(existsSync(state));
});

test("--quiet starts it without a word, and its data outlives it", async (t) => {
  const home = await daemonHome(t);
  const { kvctl } = home;
  t.like(await kvctl("put", "x", "42", "--quiet"), { exitCode: 0, stdout: "", stderr: "" });
  const stopped = JSON.parse((await kvctl("serve", "--stop", "--output", "json")).stdout);
  t.is(stopped.state, "stopped");
  t.true(readFileSync(join(home.state, "kvd.log"), "utf8").includes('"stopped"'));
  t.like(await kvctl("get", "x"), { exitCode: 0, stdout: "42\n", stderr: started(home) });
});

test("a daemon that was killed is started anew over its data", async (t) => {
  const home = await daemonHome(t);
  await home.kvctl("put", "x", "42");
  const { pid } = JSON.parse((await home.kvctl("serve", "--output", "json")).stdout);
  process.kill(pid, "SIGKILL");
  // What a kvctl that was killed, too, would leave.
  writeFileSync(join(home.state, "start.sock"), "");
  // The system may take a moment to free what the process had.
  let got = await home.kvctl("get", "x");
  while (got.exitCode === 3) got = await home.kvctl("get", "x");
  t.like(got, { exitCode: 0, stdout: "42\n", stderr: started(home) });
});

test("something else on the port is named in one line", async (t) => {
  const { kvctl, port, address } = await daemonHome(t);
  const web = createServer((_, response) => response.end("hello")).listen(port, "127.0.0.1");
  t.teardown(() => web.close());
  await new Promise((resolve) => web.once("listening", resolve));
  fails(t, await kvctl("get", "x"), 3, /does not speak gRPC/);
  fails(t, await kvctl("serve"), 3, new RegExp(`no kvd listens on ${address}.*KVCTL_PORT`));
  const { exitCode, stdout } = await kvctl("doctor", "--quiet");
  t.is(exitCode, 1);
  t.regex(stdout, /speaks HTTP[^\n]*\n +fix: /);
});

test("why kvd cannot start is the line of the error", async (t) => {
  const { kvctl, state } = await daemonHome(t);
  fails(t, await kvctl("serve", "--", "--nonsense"), 3, /unknown option.*--nonsense.*kvd\.log/);
  await kvctl("put", "x", "42");
  await kvctl("serve", "--stop");
  writeFileSync(join(state, "data/store.json"), "nonsense");
  fails(t, await kvctl("get", "x"), 3, /store\.json.*kvd check --data-dir/);
});

test("a place that cannot hold its data is named, with what to do", async (t) => {
  const { kvctl } = await daemonHome(t);
  const elsewhere = kvctl.with({ environment: { XDG_STATE_HOME: "/dev/null/state" } });
  fails(t, await elsewhere("get", "x"), 3, /\/dev\/null\/state.*XDG_STATE_HOME/);
  const wrong = kvctl.with({ environment: { KVCTL_PORT: "x" } });
  fails(t, await wrong("get", "x"), 2, /KVCTL_PORT/);
});

test("another port does not find the daemon, and is told which does", async (t) => {
  const [home, other] = [await daemonHome(t), await daemonHome(t)];
  await home.kvctl("serve");
  const elsewhere = home.kvctl.with({ environment: { KVCTL_PORT: String(other.port) } });
  fails(t, await elsewhere("get", "x"), 3, new RegExp(`KVCTL_PORT=${home.port}`));
  const { stdout, stderr } = await elsewhere("serve", "--status");
  t.true(stdout.includes(home.address));
  t.true(stderr.includes(`KVCTL_PORT=${home.port}`));
});

test("serve passes flags on, and says when they would come too late", async (t) => {
  const { kvctl } = await daemonHome(t);
  t.is((await kvctl("serve", "--", "--value-max-bytes", "1KiB")).exitCode, 0);
  const { limits } = JSON.parse((await kvctl("status", "--output", "json")).stdout);
  t.like(
    limits.find(({ name }: { readonly name: string }) => name === "value_max_bytes"),
    { value: 1024 },
  );
  fails(t, await kvctl("serve", "--", "--value-max-bytes", "2KiB"), 9, /serve --stop/);
  for (const args of [
    ["serve", "now"],
    ["serve", "--stop", "--status"],
    ["serve", "--server", "127.0.0.1:1"],
    ["serve", "--", "--data-dir", "/tmp/x"],
    ["serve", "--", "--listen=127.0.0.1:0"],
    ["serve", "--status", "--", "--etcd"],
  ]) {
    fails(t, await kvctl(...args), 2, /serve|exclude|starting/);
  }
});

test("a kvd that was started by hand is used, and not ended", async (t) => {
  const home = await daemonHome(t);
  const kvd = [NODE, BUNDLED_KVD] as const;
  await startKvd(t, { kvd, listen: home.address });
  t.like(await home.kvctl("put", "x", "42"), { exitCode: 0, stderr: "" });
  const status = await home.kvctl("serve", "--status", "--output", "json");
  t.is(status.exitCode, 0);
  t.like(JSON.parse(status.stdout), { state: "other", keys: 1 });
  fails(t, await home.kvctl("serve", "--stop"), 1, /started/);
  t.is((await home.kvctl("get", "x")).stdout, "42\n");
  t.false(existsSync(home.state));
});

test("in the foreground it logs to the terminal, and ends with its signal", async (t) => {
  const { kvctl, environment } = await daemonHome(t);
  const serve = [NODE, BUNDLED_KVCTL, "serve", "--foreground"] as const;
  const server = new RunningProcess(t, serve, { environment });
  await server.output((stdout) => stdout.includes('"listening"') || undefined);
  t.like(await kvctl("put", "x", "42"), { exitCode: 0, stderr: "" });
  fails(t, await kvctl("serve", "--foreground"), 9, /already/);
  t.like(JSON.parse((await kvctl("serve", "--output", "json")).stdout), { state: "running" });
  server.signal("SIGINT");
  t.is((await server.ended).exitCode, 0);
  t.is((await kvctl("serve", "--status")).exitCode, 1);
});
