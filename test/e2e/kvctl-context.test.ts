// Contexts and doctor as processes: servers under names, which of them a command goes to, where
// each setting comes from.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { daemonHome } from "../support/daemon-home.js";
import { startKvd } from "../support/process.js";

test("contexts are kept, chosen, shown, and forgotten", async (t) => {
  const { kvctl } = await daemonHome(t);
  const ok = async (...args: string[]) => {
    const ended = await kvctl("context", ...args);
    t.is(ended.exitCode, 0, `${args.join(" ")}: ${ended.stderr}`);
    return ended.stdout;
  };
  t.is(await ok(), "* default  the local server\n");
  await ok("add", "prod", "--server", "10.0.0.7:7856", "--timeout", "5s");
  await ok("add", "dev", "--server", "unix:/run/kvd.sock", "--output", "json", "--use");
  t.is(await ok("show", "--output", "raw"), "dev");
  await ok("use", "prod");
  await ok("-");
  t.is(await ok("show", "--output", "raw"), "dev");
  t.is(
    await ok("list", "--output", "text"),
    "  default  the local server\n" +
      "  prod     10.0.0.7:7856  timeout=5s\n" +
      "* dev      unix:/run/kvd.sock  output=json\n",
  );
  t.deepEqual(JSON.parse(await ok("list", "--output", "json")), {
    current: "dev",
    contexts: [
      { name: "prod", inUse: false, server: "10.0.0.7:7856", timeout: "5s" },
      { name: "dev", inUse: true, server: "unix:/run/kvd.sock", output: "json" },
    ],
  });
  await ok("rm", "dev");
  t.is(await ok("show"), "name:    default\n");
  await ok("use", "-");
  t.is(await ok("show"), "name:    prod\nserver:  10.0.0.7:7856\ntimeout: 5s\n");
  await ok("use", "default");
  t.is(await ok("show", "--output", "raw"), "default");
});

test("what makes no call is not done when calls are to be printed", async (t) => {
  const { kvctl } = await daemonHome(t);
  await kvctl("context", "add", "a", "--server", "h:1");
  const printed = await kvctl("context", "rm", "a", "--print-grpcurl");
  t.is(printed.exitCode, 0);
  t.is(printed.stdout, "");
  t.regex(printed.stderr, /^context makes no call that could be printed; it was not run\n$/);
  t.regex((await kvctl("context", "list")).stdout, /h:1/);
  t.is((await kvctl("serve", "--print-curl", "buf")).exitCode, 0);
  t.is((await kvctl("serve", "--status")).exitCode, 1);
  await kvctl("serve");
  t.is((await kvctl("serve", "--stop", "--print-grpcurl")).exitCode, 0);
  t.is((await kvctl("serve", "--status")).exitCode, 0);
});

test("what cannot be a context is refused, what is not there is a negative answer", async (t) => {
  const { kvctl, config } = await daemonHome(t);
  const codeOf = async (...args: string[]) => {
    const { exitCode, stderr } = await kvctl(...args);
    t.regex(stderr, /^kvctl: [^\n]+\n$/);
    return exitCode;
  };
  t.is(await codeOf("context", "add", "a"), 2);
  t.is(await codeOf("context", "add", "a", "--server", "nonsense"), 2);
  t.is(await codeOf("context", "add", "a", "--server", "h:1", "--timeout", "5"), 2);
  t.is(await codeOf("context", "add", "default", "--server", "h:1"), 2);
  t.is((await kvctl("context", "add", "a", "--server", "h:1")).exitCode, 0);
  t.is(await codeOf("context", "add", "a", "--server", "h:2"), 2);
  t.is((await kvctl("context", "add", "a", "--server", "h:2", "--force")).exitCode, 0);
  t.is(await codeOf("context", "use", "b"), 1);
  t.is(await codeOf("context", "rm", "b"), 1);
  t.is(await codeOf("get", "x", "--context", "b"), 2);
  writeFileSync(join(config, "contexts.toml"), 'current = "gone"\n');
  t.is(await codeOf("get", "x"), 2);
  t.is((await kvctl("context", "use", "default")).exitCode, 0);
  writeFileSync(join(config, "contexts.toml"), "nonsense\n");
  t.is(await codeOf("get", "x"), 2);
});

test("a command goes where its flag, its variable, its context says, in this order", async (t) => {
  const { kvctl } = await daemonHome(t);
  const servers = await Promise.all(["one", "two"].map(() => startKvd(t)));
  const [one = "", two = ""] = servers.map(({ address }) => address);
  await kvctl("put", "name", "one", "--server", one);
  await kvctl("put", "name", "two", "--server", two);
  await kvctl("context", "add", "one", "--server", one, "--output", "raw", "--use");
  await kvctl("context", "add", "two", "--server", two);
  const named = async (environment: Record<string, string>, ...more: string[]) => {
    const { stdout, stderr } = await kvctl.with({ environment })("get", "name", ...more);
    return stdout + stderr;
  };
  t.is(await named({}), "one");
  t.is(await named({}, "--output", "text"), "one\n");
  t.is(await named({ KVCTL_SERVER: two }), "two");
  t.is(await named({ KVCTL_CONTEXT: "two" }), "two\n");
  t.is(await named({ KVCTL_SERVER: one }, "--context", "two"), "two\n");
  t.is(await named({ KVCTL_CONTEXT: "one" }, "--server", two), "two");
  for (const { process } of servers) await process.kill();
  t.regex(await named({}), new RegExp(`${one} \\(context one\\)`));
});

test("doctor tells where settings come from, and that all is well", async (t) => {
  const { kvctl, environment } = await daemonHome(t);
  const { address } = await startKvd(t);
  await kvctl("context", "add", "here", "--server", address, "--timeout", "7s", "--use");
  const doctor = kvctl.with({ environment: { ...environment, KVCTL_COLOR: "never" } });
  const { exitCode, stdout, stderr } = await doctor("doctor", "--output", "json");
  t.is(exitCode, 0, stderr);
  const { ok, settings, findings } = JSON.parse(stdout);
  t.true(ok);
  const from = (name: string) =>
    settings.find((row: { readonly name: string }) => row.name === name);
  t.like(from("server"), { value: address, origin: "context", by: "here" });
  t.like(from("timeout"), { value: "7s", origin: "context" });
  t.like(from("color"), { origin: "variable", by: "KVCTL_COLOR" });
  t.like(from("output"), { origin: "flag", by: "--output" });
  t.like(from("quiet"), { origin: "default" });
  const checks = findings.map(({ check }: { readonly check: string }) => check);
  for (const check of ["connection", "health", "version", "latency", "store", "clock"]) {
    t.true(checks.includes(check), check);
  }
  t.regex((await doctor("doctor")).stdout, /server +\S+ +context here\n[\s\S]*\nall is well\n$/);
});

test("doctor names the first thing that is wrong, with a fix, and ends with 1", async (t) => {
  const { kvctl } = await daemonHome(t);
  const wrong = async (...args: string[]) => {
    const { exitCode, stdout } = await kvctl("doctor", "--quiet", "--output", "json", ...args);
    t.is(exitCode, 1);
    const { ok, findings } = JSON.parse(stdout);
    t.false(ok);
    t.is(findings.length, 1);
    t.true(findings[0].fix.length > 0);
    return findings[0].check;
  };
  t.is(await wrong(), "connection");
  t.is(await wrong("--server", "no-such-host.invalid:1"), "name");
  t.is(await wrong("--server", "unix:/nonsense/kvd.sock"), "connection");
  t.is((await kvctl("doctor", "--server", "nonsense")).exitCode, 2);
  t.is((await kvctl("doctor", "now")).exitCode, 2);
});
