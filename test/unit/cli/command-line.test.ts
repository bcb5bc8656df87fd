// The command line: verbs, flags, `--`, selectors, settings, and what is said about mistakes.

import test from "ava";
import { CATALOG } from "../../../client/cli/catalog.js";
import { type CommandLine, parseCommandLine } from "../../../client/cli/command-line.js";
import { description } from "../../../client/cli/description.js";
import { UsageError } from "../../../client/cli/failure.js";
import { Flags } from "../../../client/cli/flags.js";
import { putOptionsFrom } from "../../../client/cli/put-options.js";
import { selectorFrom, singleKey } from "../../../client/cli/selectors.js";
import { readSettings } from "../../../client/cli/settings.js";

type Run = Extract<CommandLine, { kind: "run" }>;

async function runOf(...argv: string[]): Promise<Run> {
  const line = await parseCommandLine(argv);
  if (line.kind !== "run") throw new Error(`${argv.join(" ")} runs nothing`);
  return line;
}

test("global flags stand before or after the verb", async (t) => {
  for (const argv of [
    ["--server", "a:1", "--output=json", "get", "k"],
    ["get", "k", "--server", "a:1", "--output", "json"],
    ["get", "--output", "json", "k", "--server=a:1"],
  ]) {
    const { verb, words, values } = await runOf(...argv);
    t.is(verb, "get");
    t.deepEqual(words, ["k"]);
    t.is(values["server"], "a:1");
    t.is(values["output"], "json");
  }
});

test("after -- nothing is a flag, and what stands there is known", async (t) => {
  const put = await runOf("put", "k", "--ttl", "5s", "--", "-5");
  t.deepEqual(put.words, ["k", "-5"]);
  t.deepEqual(put.tail, ["-5"]);
  t.is(put.values["ttl"], "5s");
  const txn = await runOf("txn", "mod(a) = 0", "--", "put", "a", "--x", "--", "get", "a");
  t.deepEqual(txn.tail, ["put", "a", "--x", "--", "get", "a"]);
  t.is((await runOf("put", "k", "-")).tail, undefined);
  t.deepEqual((await runOf("put", "k", "-5")).words, ["k", "-5"]);
});

test("del is delete", async (t) => {
  t.is((await runOf("del", "k")).verb, "delete");
});

const mistaken = test.macro({
  exec: async (t, argv: string[], says: RegExp) => {
    const error = await t.throwsAsync(parseCommandLine(argv), { instanceOf: UsageError });
    t.is(error?.exitCode, 2);
    t.regex(error?.message ?? "", says);
    t.notRegex(error?.message ?? "", /\n/);
  },
  title: (_, argv: string[]) => `kvctl ${argv.join(" ")} is a mistake`,
});

test(mistaken, ["gte", "k"], /did you mean get/);
test(mistaken, ["nonsense"], /nonsense/);
test(mistaken, ["set", "k", "v"], /unknown command "set" \(did you mean put\?\); kvctl help/);
test(mistaken, ["GET", "k"], /did you mean get\?/);
test(mistaken, ["remove", "k"], /did you mean delete\?/);
test(mistaken, ["stop"], /did you mean serve --stop\?/);
test(mistaken, ["get", "k", "--prefx", "p"], /did you mean --prefix/);
test(mistaken, ["get", "k", "--timeuot", "5s"], /did you mean --timeout/);
test(mistaken, ["put", "k", "-x"], /after --/);
test(mistaken, ["get", "--prefix"], /--prefix/);
test(mistaken, ["help", "nonsense"], /nonsense/);

test("no verb shows the help as a mistake, --help and help as an answer", async (t) => {
  const none = await parseCommandLine([]);
  t.true(none.kind === "text" && !none.asked);
  for (const argv of [["--help"], ["help"], ["help", "get"], ["get", "--help"], ["--version"]]) {
    const line = await parseCommandLine(argv);
    t.true(line.kind === "text" && line.asked && line.text.length > 0, argv.join(" "));
  }
});

test("every verb has help with an example, for people and for machines", async (t) => {
  const all = (await description()) as {
    commands: { name: string; examples: unknown[]; flags: { name: string }[] }[];
    exitCodes: { code: number }[];
  };
  t.deepEqual(
    all.commands.map(({ name }) => name),
    [...CATALOG.map(({ name }) => name), "help"],
  );
  for (const { name, examples, flags } of all.commands) {
    t.true(examples.length > 0, name);
    for (const flag of flags) t.regex(flag.name, /^--[a-z-]+$/);
    const line = await parseCommandLine(["help", name]);
    t.regex(line.kind === "text" ? line.text : "", /Examples:/);
  }
  t.deepEqual(
    all.exitCodes.map(({ code }) => code),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 130, 143],
  );
});

test("help --json of a verb is of that alone, with its actions", async (t) => {
  const line = await parseCommandLine(["help", "lease", "--json"]);
  t.deepEqual(line, { kind: "description", verb: "lease" });
  t.like(await parseCommandLine(["help", "del", "--json"]), { verb: "delete" });
  const { commands } = (await description("lease")) as {
    commands: { name: string; actions: { usage: string; flags: string[] }[] }[];
  };
  t.deepEqual(
    commands.map(({ name }) => name),
    ["lease"],
  );
  t.like(commands[0]?.actions[0] ?? {}, {
    name: "grant",
    usage: "kvctl lease grant TTL [--id <id>]",
    flags: ["--id"],
  });
});

test("the examples of help are command lines that kvctl takes", async (t) => {
  for (const { load } of CATALOG) {
    for (const { run } of (await load()).examples) {
      const words = wordsOfShell(run);
      await t.notThrowsAsync(parseCommandLine(words.slice(words.indexOf("kvctl") + 1)), run);
    }
  }
});

/** Enough of a shell for the examples: quotes; the first command named kvctl of a pipeline. */
function wordsOfShell(text: string): string[] {
  const part = text.split(/ \| | 2> /).find((piece) => piece.startsWith("kvctl ")) ?? text;
  return [...part.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
}

const flags = (values: Record<string, unknown> = {}) => new Flags(values);

test("a selector is one of its forms", (t) => {
  t.deepEqual(selectorFrom("get", ["k"], flags()), { key: "k" });
  t.deepEqual(selectorFrom("get", [], flags({ prefix: "p" })), { prefix: "p" });
  t.deepEqual(selectorFrom("get", [], flags({ start: "a" })), { start: "a" });
  t.deepEqual(selectorFrom("get", [], flags({ start: "a", end: "b" })), { start: "a", end: "b" });
  t.deepEqual(selectorFrom("get", [], flags({ all: true })), { all: true });
  t.deepEqual(selectorFrom("export", [], flags(), { all: true }), { all: true });
  t.deepEqual(selectorFrom("get", [""], flags()), { key: "" });
  t.true(singleKey({ key: "k" }));
  t.false(singleKey({ prefix: "k" }));
});

test("no selector, two, and two keys are mistakes", (t) => {
  const cases: [string[], Record<string, unknown>][] = [
    [[], {}],
    [["k"], { prefix: "p" }],
    [["k"], { all: true }],
    [[], { prefix: "p", start: "a" }],
    [[], { all: true, end: "b" }],
    [["k", "l"], {}],
  ];
  for (const [words, values] of cases) {
    t.throws(() => selectorFrom("get", words, flags(values)), { instanceOf: UsageError });
  }
});

test("keys that are no text are given in hex or base64", (t) => {
  const key = (encoding: string, text: string) =>
    selectorFrom("get", [text], flags({ keyEncoding: encoding }));
  t.deepEqual(key("hex", "00Ff"), { key: Buffer.from([0, 255]) });
  t.deepEqual(key("base64", "/wA="), { key: Buffer.from([255, 0]) });
  for (const [encoding, text] of [
    ["hex", "0"],
    ["hex", "zz"],
    ["base64", "/w"],
    ["latin1", "a"],
  ] as const) {
    t.throws(() => key(encoding, text), { instanceOf: UsageError }, `${encoding} ${text}`);
  }
});

test("numbers, revisions and lease ids are checked, and named when they are none", (t) => {
  const given = flags({ limit: "10", rev: "0", lease: "-9223372036854775808", ttl: "1.5s" });
  t.is(given.number("limit"), 10);
  t.is(given.number("rev"), 0);
  t.is(given.leaseId("lease"), -(2n ** 63n));
  t.is(given.durationMs("ttl"), 1_500);
  t.is(given.number("absent"), undefined);
  for (const text of ["", "-1", "1.5", "1e3", "9007199254740993", "0x10", " 1"]) {
    const error = t.throws(() => flags({ limit: text }).number("limit"), {
      instanceOf: UsageError,
    });
    t.regex(error?.message ?? "", /--limit/, text);
  }
  for (const text of ["", "x", "9223372036854775808", "1.0"]) {
    t.throws(() => flags({ lease: text }).leaseId("lease"), { instanceOf: UsageError }, text);
  }
});

test("flags of a put become options, and exclude each other", (t) => {
  t.deepEqual(putOptionsFrom(flags({ ifAbsent: true, ttl: "30s" })), {
    ttl: 30_000,
    expectedModRevision: 0,
  });
  t.deepEqual(putOptionsFrom(flags({ expectRev: "41", lease: "7", prev: true })), {
    leaseId: 7n,
    expectedModRevision: 41,
    returnPrevious: true,
  });
  for (const values of [
    { ttl: "1s", lease: "7" },
    { ttl: "1s", keepLease: true },
    { expectRev: "0", ifAbsent: true },
  ]) {
    t.throws(() => putOptionsFrom(flags(values)), { instanceOf: UsageError });
  }
});

test("settings come from flags, then the environment, then defaults", (t) => {
  t.like(readSettings({}, {}), {
    server: "127.0.0.1:7856",
    format: "text",
    timeoutMs: 10_000,
    color: "auto",
    quiet: false,
    debug: false,
    autostart: true,
    context: undefined,
  });
  const environment = {
    KVCTL_SERVER: "e:1",
    KVCTL_OUTPUT: "raw",
    KVCTL_TIMEOUT: "2s",
    KVCTL_COLOR: "never",
    KVCTL_QUIET: "1",
    KVCTL_DEBUG: "false",
    KVCTL_AUTOSTART: "0",
  };
  const fromEnvironment = readSettings({ server: "f:2" }, environment);
  t.is(fromEnvironment.server, "f:2");
  t.is(fromEnvironment.format, "raw");
  t.is(fromEnvironment.timeoutMs, 2_000);
  t.is(fromEnvironment.color, "never");
  t.true(fromEnvironment.quiet);
  t.false(fromEnvironment.debug);
  t.false(fromEnvironment.autostart);
  t.like(fromEnvironment.origins, { server: "flag", output: "variable", autostart: "variable" });
  const error = t.throws(() => readSettings({}, { KVCTL_OUTPUT: "xml" }), {
    instanceOf: UsageError,
  });
  t.regex(error?.message ?? "", /KVCTL_OUTPUT/);
  t.throws(() => readSettings({ timeout: "5" }, {}), { instanceOf: UsageError });
  t.is(readSettings({ timeout: "0" }, {}).timeoutMs, 0);
});

test("a setting of a context comes after its variable, unless a flag named the context", (t) => {
  const settings = { server: "c:1", output: "json" };
  const environment = { KVCTL_SERVER: "e:1" };
  const chosen = readSettings({}, environment, { name: "prod", fromFlag: false, settings });
  t.like(chosen, { server: "e:1", format: "json", context: "prod" });
  t.like(chosen.origins, { server: "variable", output: "context", timeout: "default" });
  const named = readSettings({}, environment, { name: "prod", fromFlag: true, settings });
  t.like(named, { server: "c:1", format: "json" });
  t.is(named.origins.server, "context");
  const flagged = { name: "prod", fromFlag: true, settings };
  t.is(readSettings({ server: "f:1" }, environment, flagged).server, "f:1");
  const bad = { name: "prod", fromFlag: false, settings: { output: "xml" } };
  t.regex(t.throws(() => readSettings({}, {}, bad))?.message ?? "", /context prod/);
});

test("the default server has the port of KVCTL_PORT", (t) => {
  t.is(readSettings({}, { KVCTL_PORT: "9000" }).server, "127.0.0.1:9000");
  t.is(readSettings({}, { KVCTL_PORT: "" }).server, "127.0.0.1:7856");
  t.is(readSettings({}, { KVCTL_PORT: "9000", KVCTL_SERVER: "e:1" }).server, "e:1");
  for (const port of ["0", "65536", "x", "-1", "1e3"]) {
    t.throws(() => readSettings({}, { KVCTL_PORT: port }), { instanceOf: UsageError });
  }
});
