// Flags and environment: precedence, forms of values, and what is refused.

import test from "ava";
import { type Config, readInvocation } from "../../server/config.js";
import { LIMIT_RANGES } from "../../server/config-limits.js";
import { LIMITS, type LimitName } from "../../server/kv/limits.js";
import {
  defaultHistoryMaxBytes,
  defaultLeaseMemoryMaxBytes,
  defaultStoreMaxBytes,
} from "../../server/memory-sizes.js";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MACHINE = { memoryBytes: 4 * GIB, heapMaxBytes: 2 * GIB };

type Env = Readonly<Record<string, string>>;

/** With this text in the file of --config. */
function invoke(argv: readonly string[], env: Env = {}, file?: string) {
  const readFile = (path: string) => {
    if (file === undefined) throw new Error(`no such file: ${path}`);
    return file;
  };
  return readInvocation({ argv, env, machine: MACHINE, version: "1.2.3", readFile });
}

function configOf(argv: readonly string[], env: Env = {}, file?: string): Config {
  const invocation = invoke(argv, env, file);
  if (invocation.kind === "serve") return invocation.config;
  throw new Error(invocation.kind === "offline" ? "offline" : invocation.text);
}

function refusalOf(argv: readonly string[], env: Env = {}, file?: string): string {
  const invocation = invoke(argv, env, file);
  return invocation.kind === "refused" ? invocation.text : "";
}

test("without flags it listens on loopback only, at kvd's port", (t) => {
  const config = configOf([]);
  t.deepEqual(config.listen, ["127.0.0.1:7856"]);
  t.like(config, { insecure: false, portFile: undefined, logLevel: "info" });
});

test("data is kept in ./kvd-data, and always synced, unless told otherwise", (t) => {
  t.like(configOf([]), { dataDir: "kvd-data", fsync: "always", snapshotIntervalMs: 3_600_000 });
  t.is(configOf(["--fsync", "everysec"]).fsync, "everysec");
  t.regex(refusalOf(["--fsync", "sometimes"]), /--fsync.*always, everysec, never/);
  t.is(configOf(["--failed-log-grace", "0s"]).failedLogGraceMs, 0);
  t.regex(refusalOf(["--snapshot-log-bytes", "1k"]), /--snapshot-log-bytes.*from 1MiB/);
  t.is(configOf(["--memory"]).dataDir, undefined);
  const own = configOf(["--data-dir", "/data", "--snapshot-interval", "5s"]);
  t.like(own, { dataDir: "/data", snapshotIntervalMs: 5000 });
  t.regex(refusalOf(["--memory", "--data-dir", "/data"]), /--memory.*--data-dir \/data/);
  t.regex(refusalOf(["--snapshot-interval", "0s"]), /--snapshot-interval.*from 1s/);
});

test("a file gives what neither a flag nor a variable says", (t) => {
  const file = `
    listen = ["127.0.0.1:0", "unix:/run/kvd.sock"]
    data-dir = "/data"
    store-max-bytes = "2GiB"
    value-max-bytes = 1048576
    key-max-bytes = "2k"
    insecure = true
    snapshot-interval = "5m" # a comment
  `;
  const env = { KVD_KEY_MAX_BYTES: "1k", KVD_CONFIG: "kvd.toml" };
  const config = configOf(["--data-dir", "/other"], env, file);
  t.deepEqual(config.listen, ["127.0.0.1:0", "unix:/run/kvd.sock"]);
  t.like(config, { dataDir: "/other", insecure: true, snapshotIntervalMs: 300_000 });
  const { storeMaxBytes, valueMaxBytes, keyMaxBytes } = config.limits;
  t.deepEqual([storeMaxBytes, valueMaxBytes, keyMaxBytes], [2 * GIB, MIB, 1024]);
});

const badFiles: [string, string, RegExp][] = [
  ["an unknown setting", 'lisen = "x"', /f\.toml: the setting "lisen" is unknown.*mean listen\?/],
  ["a flag that has no meaning there", 'config = "g"', /f\.toml: the setting "config" is unknown/],
  ["a table", "[listen]\na = 1", /f\.toml: listen is invalid/],
  ["a value out of range", 'key-max-bytes = "1TiB"', /f\.toml: key-max-bytes is invalid.*to /],
  ["a wrong type", "store-max-bytes = [1]", /f\.toml: store-max-bytes is invalid/],
  ["no TOML", "listen =", /f\.toml, line 1, column/],
  ["an address that is none", 'listen = "x"', /f\.toml: listen is invalid/],
];

for (const [what, file, expected] of badFiles) {
  test(`a file with ${what} is refused`, (t) => {
    t.regex(refusalOf(["--config", "f.toml"], {}, file), expected);
  });
}

test("a file that is not there is refused", (t) => {
  t.regex(refusalOf(["--config", "f.toml"]), /--config f\.toml cannot be read: no such file/);
});

test("--print-config shows each setting with its origin, as a file that gives the same", (t) => {
  const file = 'log-level = "debug"\nhistory-age = "1h"';
  const argv = ["--config", "f.toml", "--port-file", "p", "--listen", "127.0.0.1:1"];
  const env = { KVD_KEY_MAX_BYTES: "1k" };
  const printed = invoke([...argv, "--print-config"], env, file);
  if (printed.kind !== "print") throw new Error("it prints");
  for (const line of [
    'listen = [ "127.0.0.1:1" ] # flag',
    'key-max-bytes = "1KiB" # environment',
    'log-level = "debug" # file',
    'data-dir = "kvd-data" # default',
  ]) {
    t.true(printed.text.includes(`${line}\n`), printed.text);
  }
  t.deepEqual(configOf(["--config", "f.toml"], {}, printed.text), configOf(argv, env, file));
});

test("--listen may be repeated", (t) => {
  const { listen } = configOf(["--listen", "127.0.0.1:0", "--listen=unix:/run/kvd.sock"]);
  t.deepEqual(listen, ["127.0.0.1:0", "unix:/run/kvd.sock"]);
});

test("--allowed-host may be repeated, also in a variable and in a file", (t) => {
  const names = ["kvd.internal", "kvd"];
  t.deepEqual(configOf([]).allowedHosts, []);
  const argv = ["--allowed-host", "KVD.internal", "--allowed-host=kvd"];
  t.deepEqual(configOf(argv).allowedHosts, names);
  t.deepEqual(configOf([], { KVD_ALLOWED_HOST: "KVD.internal,kvd" }).allowedHosts, names);
  const file = 'allowed-host = ["KVD.internal", "kvd"]';
  t.deepEqual(configOf(["--config", "f.toml"], {}, file).allowedHosts, names);
});

test("a flag goes before its variable, that before the default", (t) => {
  const env = { KVD_VALUE_MAX_BYTES: "1MiB", KVD_KEY_MAX_BYTES: "1k" };
  const { limits } = configOf(["--value-max-bytes", "512k"], env);
  t.is(limits.valueMaxBytes, MIB / 2);
  t.is(limits.keyMaxBytes, 1024);
  t.is(limits.requestMaxBytes, LIMITS.requestMaxBytes.value);
});

test("a flag that says the default goes before its variable too", (t) => {
  t.is(configOf(["--log-level", "info"], { KVD_LOG_LEVEL: "debug" }).logLevel, "info");
});

test("every flag has a variable", (t) => {
  const config = configOf([], {
    KVD_LISTEN: "unix:/run/kvd.sock,[::1]:0",
    KVD_MEMORY: "1",
    KVD_PORT_FILE: "/run/kvd.port",
    KVD_INSECURE: "false",
    KVD_LOG_LEVEL: "warn",
    KVD_SHUTDOWN_GRACE: "3s",
    KVD_HISTORY_AGE: "12h",
  });
  t.like(config, { dataDir: undefined, insecure: false, portFile: "/run/kvd.port" });
  t.is(config.logLevel, "warn");
  t.deepEqual(config.listen, ["unix:/run/kvd.sock", "[::1]:0"]);
  t.is(config.shutdownGraceMs, 3000);
  t.is(config.limits.historyMaxAgeMs, 12 * 3_600_000);
});

test("a variable that means nothing is refused, those of Kubernetes are not", (t) => {
  t.regex(refusalOf([], { KVD_LISTN: "x" }), /variable KVD_LISTN means nothing.*KVD_LISTEN\?/);
  t.notThrows(() =>
    configOf([], {
      KVD_SERVICE_HOST: "10.0.0.1",
      KVD_SERVICE_PORT_GRPC: "7856",
      KVD_PORT: "tcp://10.0.0.1:7856",
      KVD_PORT_7856_TCP_ADDR: "10.0.0.1",
      KVD_BLUE_SERVICE_HOST: "10.0.0.2",
      KVD_BLUE_PORT_7856_TCP: "tcp://10.0.0.2:7856",
    }),
  );
});

test("the config cannot be changed", (t) => {
  const config = configOf([]);
  t.true(
    Object.isFrozen(config) && Object.isFrozen(config.limits) && Object.isFrozen(config.listen),
  );
});

const size = test.macro({
  exec: (t, text: string, bytes: number) => {
    t.is(configOf(["--watch-queues-max-bytes", text]).limits.watchQueuesMaxBytes, bytes);
  },
  title: (_, text) => `${text} is a size`,
});

test(size, "4194304", 4 * MIB);
test(size, "1.5MiB", 1.5 * MIB);
test(size, "2m", 2 * MIB);
test(size, "2048k", 2 * MIB);
test(size, "3GiB", 3 * GIB);
test(size, "1t", 1024 * GIB);

const duration = test.macro({
  exec: (t, text: string, ms: number) => {
    t.is(configOf(["--shutdown-grace", text]).shutdownGraceMs, ms);
  },
  title: (_, text) => `${text} is a duration`,
});

test(duration, "250ms", 250);
test(duration, "1.5s", 1500);
test(duration, "5m", 300_000);
test(duration, "1h", 3_600_000);
test(duration, "0", 0);

const refused = test.macro<[readonly string[], ...string[]]>({
  exec: (t, argv, ...named) => {
    const text = refusalOf(argv);
    t.true(text.startsWith("error: "), text);
    for (const each of named) t.true(text.includes(each), `${each} in: ${text}`);
  },
  title: (_, argv) => `refused: ${argv.join(" ")}`,
});

test(refused, ["--nothing"], "--nothing");
test(refused, ["--lsten", "127.0.0.1:0"], "--lsten", "--listen");
test(refused, ["serve"], "argument");
test(refused, ["--listen", "7856"], "--listen", "7856", "host:port");
test(refused, ["--listen", "127.0.0.1:65536"], "--listen", "65535");
test(refused, ["--listen", `unix:/${"x".repeat(200)}`], "--listen", "bytes");
test(refused, ["--listen", "0.0.0.0:7856"], "--listen", "0.0.0.0:7856", "--insecure");
test(refused, ["--listen", "[::]:7856"], "--listen", "--insecure");
test(refused, ["--listen", "example.org:7856"], "--listen", "--insecure");
test(refused, ["--allowed-host", "kvd:7856"], "--allowed-host", "kvd:7856", "without a port");
test(refused, ["--value-max-bytes", "65MiB"], "--value-max-bytes", "65MiB", "64MiB");
test(refused, ["--value-max-bytes", "1MB"], "--value-max-bytes", "1MB", "1.5MiB");
test(refused, ["--value-max-bytes", "0.3"], "--value-max-bytes", "0.3");
test(refused, ["--value-max-bytes"], "--value-max-bytes");
test(refused, ["--watchers-max", "1k"], "--watchers-max", "1k", "10000000");
test(refused, ["--watchers-max", "-1"], "--watchers-max", "-1");
test(refused, ["--shutdown-grace", "10"], "--shutdown-grace", "10", "250ms", "1h");
test(refused, ["--log-level", "loud"], "--log-level", "loud", "debug");
test(refused, ["--request-max-bytes", "64k"], "--request-max-bytes 64KiB", "--value-max-bytes");
test(refused, ["--value-max-bytes", "2MiB"], "--response-max-bytes", "--value-max-bytes 2MiB");
test(refused, ["--key-max-bytes", "16k"], "--page-token-max-bytes", "--key-max-bytes 16KiB");

test("a bad variable is refused by its name", (t) => {
  const text = refusalOf([], { KVD_LEASES_MAX: "many" });
  t.true(text.includes("KVD_LEASES_MAX") && text.includes("many") && text.includes("100000000"));
  t.true(refusalOf([], { KVD_MEMORY: "perhaps" }).includes("KVD_MEMORY"));
  t.true(refusalOf([], { KVD_LISTEN: "127.0.0.1:0,here" }).includes("KVD_LISTEN"));
});

test("other machines may reach it once --insecure says so", (t) => {
  t.deepEqual(configOf(["--listen", "0.0.0.0:0", "--insecure"]).listen, ["0.0.0.0:0"]);
});

test("loopback needs no --insecure, whatever its form", (t) => {
  const argv = ["127.8.9.10:0", "localhost:0", "[::1]:0", "unix:kvd.sock"];
  t.notThrows(() => configOf(argv.flatMap((each) => ["--listen", each])));
});

test("every default is in its own range, and within it none conflicts", (t) => {
  const { limits } = configOf([]);
  for (const name of Object.keys(LIMITS) as LimitName[]) {
    const { min, max } = LIMIT_RANGES[name];
    t.true(limits[name] >= min && limits[name] <= max, name);
  }
});

test("the store takes 40 % of the memory, leases 75 % of the heap but for a reserve", (t) => {
  const heapMaxBytes = 4 * GIB + 128 * MIB;
  t.is(defaultStoreMaxBytes({ memoryBytes: 1000 * MIB, heapMaxBytes }), 400 * MIB);
  t.is(defaultStoreMaxBytes({ memoryBytes: 1000 * GIB, heapMaxBytes }), 24 * GIB);
  t.is(defaultLeaseMemoryMaxBytes({ memoryBytes: GIB, heapMaxBytes }), 3 * GIB);
  const { storeMaxBytes, leaseMemoryMaxBytes } = configOf([]).limits;
  t.deepEqual([storeMaxBytes, leaseMemoryMaxBytes], [Math.floor(1.6 * GIB), 1.5 * GIB - 96 * MIB]);
});

test("history takes a quarter of the store's limit, at most 1 GiB", (t) => {
  t.is(defaultHistoryMaxBytes(100 * MIB), 25 * MIB);
  t.is(defaultHistoryMaxBytes(100 * GIB), GIB);
  t.is(configOf(["--store-max-bytes", "1GiB"]).limits.historyMaxBytes, GIB / 4);
  t.is(configOf(["--history-bytes", "0"]).limits.historyMaxBytes, 0);
});

test("--help describes every flag with its default, --version prints the version", (t) => {
  const help = invoke(["--help"]);
  if (help.kind !== "print") return t.fail();
  for (const { flag } of Object.values(LIMITS)) t.true(help.text.includes(flag), flag);
  t.true(help.text.includes("127.0.0.1:7856") && help.text.includes("KVD_LOG_LEVEL"));
  t.deepEqual(invoke(["--version"]), { kind: "print", text: "1.2.3\n" });
});
