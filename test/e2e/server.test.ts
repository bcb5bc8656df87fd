// kvd as a process: how it starts, says where it is, stops, and what it says when it cannot.

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { connect, KvdClientError, type WatchOptions } from "../../client/index.js";
import {
  HealthCheckResponse_ServingStatus as Health,
  HealthClient,
} from "../../gen/grpc/grpc/health/v1/health.js";
import {
  BUNDLED_KVD,
  kvctlFor,
  NODE,
  RunningProcess,
  type RunningServer,
  run,
  type ServerSetup,
  startKvd as startCompiled,
  temporaryFolder,
} from "../support/process.js";

interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly address?: string;
}

const logOf = (stdout: string): LogLine[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

const HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const kvd = (t: ExecutionContext, ...args: readonly string[]) =>
  run(t, [NODE, BUNDLED_KVD, ...args]);

const startKvd = (t: ExecutionContext, setup: ServerSetup = {}) =>
  startCompiled(t, { kvd: [NODE, BUNDLED_KVD], ...setup });

function clientOf(t: ExecutionContext, { address }: Pick<RunningServer, "address">) {
  const kv = connect(address);
  t.teardown(() => kv.close());
  return kv;
}

async function healthOf(t: ExecutionContext, address: string, service: string) {
  const client = new HealthClient(address, credentials.createInsecure());
  t.teardown(() => client.close());
  return new Promise((resolve, reject) => {
    client.check({ service }, (error, answer) => (error ? reject(error) : resolve(answer.status)));
  });
}

/** A call whose request never arrives in full. */
async function unfinishedCall(t: ExecutionContext, address: string): Promise<void> {
  const session = connectHttp2(`http://${address}`);
  session.on("error", () => {});
  t.teardown(() => session.destroy());
  await once(session, "connect");
  const call = session.request({
    ":method": "POST",
    ":path": "/kvd.v1.KvService/Get",
    "content-type": "application/grpc",
    te: "trailers",
  });
  call.on("error", () => {});
  call.write(Buffer.from([0, 0, 0, 0, 9]));
  // An answer on the same connection, so the call is there.
  await new Promise((resolve, reject) => {
    session.ping((error) => (error === null ? resolve(undefined) : reject(error)));
  });
}

test("it says where it listens, in a file and in its log, and serves there", async (t) => {
  const server = await startKvd(t);
  t.is(readFileSync(server.portFile, "utf8"), `${server.address.split(":")[1]}\n`);
  const line = await server.process.output((stdout) => stdout.match(/^.*"listening".*$/m)?.[0]);
  t.is(JSON.parse(line).address, server.address);
  const kv = clientOf(t, server);
  await kv.put("a", "1");
  t.is((await kv.get("a"))?.text(), "1");
});

test("health tells of the server and of each service", async (t) => {
  const { address } = await startKvd(t);
  for (const service of ["", "kvd.v1.KvService", "kvd.v1.LeaseService"]) {
    t.is(await healthOf(t, address, service), Health.SERVING);
  }
  await t.throwsAsync(healthOf(t, address, "kvd.v1.Nonsense"));
});

test("logs are JSON, a line each, with level, time and text", async (t) => {
  const server = await startKvd(t);
  server.process.signal("SIGTERM");
  const { stdout, stderr } = await server.process.ended;
  t.is(stderr, "");
  const lines = logOf(stdout);
  t.true(stdout.endsWith("\n") && lines.length >= 3);
  for (const { level, time, msg } of lines) {
    t.true(["info", "warn"].includes(level));
    t.is(new Date(time).toISOString(), time);
    t.not(msg, "");
  }
  t.is(lines.filter(({ address }) => address === server.address).length, 1);
});

test("it stops, and fails to start, as ever when nobody reads its log any more", async (t) => {
  const server = await startKvd(t);
  await server.process.output((stdout) => stdout.match(/"listening"/)?.[0]);
  const other = new RunningProcess(t, [NODE, BUNDLED_KVD, "--memory", "--listen", server.address]);
  other.closeOutput();
  t.is((await other.ended).exitCode, 1);
  server.process.closeOutput();
  server.process.signal("SIGTERM");
  t.is((await server.process.ended).exitCode, 0);
});

test("it tells of itself with --channelz", async (t) => {
  const { address } = await startKvd(t, { args: ["--channelz"] });
  const client = new Client(address, credentials.createInsecure());
  t.teardown(() => client.close());
  const bytes = (message: Buffer) => message;
  const answer = new Promise<Buffer | undefined>((resolve, reject) => {
    const path = "/grpc.channelz.v1.Channelz/GetServers";
    client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error, message) =>
      error === null ? resolve(message) : reject(error),
    );
  });
  t.true(((await answer)?.length ?? 0) > 0);
});

test("it says at its start what is kept", async (t) => {
  const meant = await startKvd(t);
  const said = (pattern: RegExp) => (stdout: string) => stdout.match(pattern)?.[0];
  await meant.process.output(said(/"level":"info"[^\n]*nothing is kept/));
  const folder = await temporaryFolder(t);
  const kept = await startKvd(t, { dataDir: join(folder, "data") });
  await kept.process.output(said(/"level":"info"[^\n]*synced to the disk before it is answered/));
  t.pass();
});

test("a port file that cannot be written ends it", async (t) => {
  const nowhere = join(await temporaryFolder(t), "nowhere", "port");
  const ended = await kvd(t, "--memory", "--listen", "127.0.0.1:0", "--port-file", nowhere);
  t.is(ended.exitCode, 1);
  t.true(logOf(ended.stdout).some(({ level, msg }) => level === "fatal" && msg.includes(nowhere)));
});

test("the log can be silenced", async (t) => {
  const environment = { KVD_LOG_LEVEL: "silent" };
  const server = await startKvd(t, { environment });
  server.process.signal("SIGTERM");
  t.like(await server.process.ended, { exitCode: 0, stdout: "", stderr: "" });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends watches with the revision to go on with, and the process with 0`, async (t) => {
    const server = await startKvd(t);
    const kv = clientOf(t, server);
    const watch = kv.watch({ all: true }, { resume: false });
    await watch.ready();
    const { revision } = await kv.put("a", "1");
    server.process.signal(signal);
    const seen: number[] = [];
    const error = await t.throwsAsync(
      async () => {
        for await (const event of watch) seen.push(event.revision);
      },
      { instanceOf: KvdClientError },
    );
    t.deepEqual(seen, [revision]);
    t.is(error?.code, "UNAVAILABLE");
    t.is(error?.reason, "SHUTTING_DOWN");
    t.is(error?.details.resumeRevision, revision + 1);
    t.is((await server.process.ended).exitCode, 0);
    t.false(existsSync(server.portFile));
  });
}

test("a second signal does not wait for calls that still run", async (t) => {
  const server = await startKvd(t, { args: ["--shutdown-grace", "1h"] });
  await unfinishedCall(t, server.address);
  server.process.signal("SIGTERM");
  await server.process.output((stdout) => stdout.includes("second signal") || undefined);
  server.process.signal("SIGTERM");
  t.is((await server.process.ended).exitCode, 143);
});

test("a call that never ends is cut after the grace", async (t) => {
  const server = await startKvd(t, { args: ["--shutdown-grace", "50ms"] });
  await unfinishedCall(t, server.address);
  server.process.signal("SIGTERM");
  const { exitCode, stdout } = await server.process.ended;
  t.is(exitCode, 0);
  t.true(logOf(stdout).some(({ msg }) => msg.includes("--shutdown-grace")));
});

const mistaken = test.macro({
  async exec(t, args: readonly string[], told: RegExp) {
    const { exitCode, stdout, stderr } = await kvd(t, ...args);
    t.is(exitCode, 2);
    t.is(stdout, "");
    t.regex(stderr, told);
    t.notRegex(stderr, /^\s+at /m);
  },
  title: (_, args: readonly string[]) => `kvd ${args.join(" ")} is a mistake`,
});

test(mistaken, ["--memroy"], /--memory/);
test(mistaken, ["--listen", "7856"], /host:port/);
test(mistaken, ["--listen", "127.0.0.1:99999"], /65535/);
test(mistaken, ["--listen"], /--listen/);
test(mistaken, ["--key-max-bytes", "many"], /--key-max-bytes/);
test(mistaken, ["--listing-pin", "-1s"], /--listing-pin/);
test(mistaken, ["--log-level", "loud"], /info/);
test(mistaken, ["serve"], /serve|argument/);
test(mistaken, ["--listen", "0.0.0.0:0"], /--insecure/);

test("a mistake in the environment is named by its variable", async (t) => {
  const environment = { KVD_KEY_MAX_BYTES: "many" };
  const { exitCode, stderr } = await run(t, [NODE, BUNDLED_KVD], { environment });
  t.is(exitCode, 2);
  t.regex(stderr, /KVD_KEY_MAX_BYTES/);
});

test("a variable that means nothing is refused, and a flag goes before a variable", async (t) => {
  const typed = await run(t, [NODE, BUNDLED_KVD, "--memory"], {
    environment: { KVD_KEY_MAX_BYTE: "1" },
  });
  t.is(typed.exitCode, 2);
  t.regex(typed.stderr, /KVD_KEY_MAX_BYTE means nothing to kvd \(did you mean KVD_KEY_MAX_BYTES/);
  const environment = { KVD_KEY_MAX_BYTES: "1" };
  const server = await startKvd(t, { environment, args: ["--key-max-bytes", "2"] });
  const kv = clientOf(t, server);
  await t.notThrowsAsync(kv.put("ab", ""));
  await t.throwsAsync(kv.put("abc", ""), { instanceOf: KvdClientError });
});

test("help and version are answers", async (t) => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  t.like(await kvd(t, "--version"), { exitCode: 0, stdout: `${version}\n`, stderr: "" });
  const help = await kvd(t, "--help");
  t.is(help.exitCode, 0);
  t.regex(help.stdout, /--listen/);
});

test("a port that is in use is named, and its server goes on", async (t) => {
  const first = await startKvd(t);
  const { exitCode, stdout } = await kvd(t, "--memory", "--listen", first.address);
  t.is(exitCode, 1);
  const last = logOf(stdout).at(-1);
  t.is(last?.level, "fatal");
  t.true(last?.msg.includes(first.address));
  await t.notThrowsAsync(clientOf(t, first).put("a", "1"));
});

test("a unix socket serves, is in the port file, and goes with the server", async (t) => {
  const path = join(await temporaryFolder(t), "kvd.sock");
  const server = await startKvd(t, { listen: `unix:${path}` });
  t.is(server.address, `unix:${path}`);
  const kvctl = kvctlFor(t, server.address);
  t.is((await kvctl("put", "a", "1")).stdout, "revision 2\n");
  t.is((await kvctl("get", "a")).stdout, "1\n");
  server.process.signal("SIGTERM");
  t.is((await server.process.ended).exitCode, 0);
  t.false(existsSync(path));
});

test("several addresses are served at once", async (t) => {
  const path = join(await temporaryFolder(t), "kvd.sock");
  const server = await startKvd(t, { args: ["--listen", `unix:${path}`] });
  await clientOf(t, server).put("a", "1");
  t.is((await clientOf(t, { address: `unix:${path}` }).get("a"))?.text(), "1");
});

test("what was killed is another store after its start, and says so", async (t) => {
  const path = join(await temporaryFolder(t), "kvd.sock");
  const first = await startKvd(t, { listen: `unix:${path}` });
  const kv = clientOf(t, first);
  for (const key of ["a", "b", "c"]) await kv.put(key, "1");
  const { nextPageToken } = await kv.range({ all: true }, { limit: 1 });
  const { storeId } = await kv.maintenance.status();
  await first.process.kill();

  const second = await startKvd(t, { listen: `unix:${path}` });
  const again = clientOf(t, second);
  const status = await again.maintenance.status();
  t.is(status.revision, 1);
  t.not(status.storeId, storeId);
  const options: WatchOptions = { startRevision: 1, storeId };
  const watch = again.watch({ all: true }, options);
  const ended = await t.throwsAsync(
    async () => {
      for await (const event of watch) t.fail(event.key);
    },
    { instanceOf: KvdClientError },
  );
  t.is(ended?.reason, "STORE_CHANGED");
  t.is(ended?.details.storeId, status.storeId);
  const pageToken = nextPageToken ?? new Uint8Array(0);
  const listing = again.range({ all: true }, { limit: 1, pageToken });
  const refused = await t.throwsAsync(listing, { instanceOf: KvdClientError });
  t.is(refused?.reason, "STORE_CHANGED");
});

test("bytes that are no HTTP/2 do not end the process", async (t) => {
  const server = await startKvd(t);
  const port = Number(server.address.split(":")[1]);
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\0".repeat(999), `${HTTP2_PREFACE}nonsense!`]) {
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume().end(bytes);
    await once(socket, "close");
  }
  await t.notThrowsAsync(clientOf(t, server).put("a", "1"));
});
