// kvd over a data directory, as processes: stops, kills, restores, damage.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect, KvdClientError } from "../../client/index.js";
import {
  KVD,
  kvctlFor,
  NODE,
  type RunningServer,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

async function started(t: ExecutionContext, dataDir: string) {
  const server = await startKvd(t, { dataDir });
  const kv = connect(server.address);
  t.teardown(() => kv.close());
  return { server, kv };
}

async function folderWithOne(t: ExecutionContext) {
  const dataDir = join(await temporaryFolder(t), "data");
  const { server, kv } = await started(t, dataDir);
  await kv.put("a", "kept");
  server.process.signal("SIGTERM");
  t.is((await server.process.ended).exitCode, 0);
  const name = (await readdir(dataDir)).find((each) => each.endsWith(".kvd")) ?? "";
  return { dataDir, file: join(dataDir, name) };
}

const kvd = (t: ExecutionContext, ...args: string[]) => run(t, [NODE, KVD, ...args]);

test("a stop keeps everything, and a watch goes on where it was", async (t) => {
  const dataDir = join(await temporaryFolder(t), "data");
  const first = await started(t, dataDir);
  await first.kv.put("a", "1", { ttl: "1h" });
  const { revision } = await first.kv.put("a", "2");
  first.server.process.signal("SIGTERM");
  t.is((await first.server.process.ended).exitCode, 0);
  const second = await started(t, dataDir);
  await second.kv.put("b", "3");
  const keys: string[] = [];
  const watch = second.kv.watch({ all: true }, { startRevision: revision });
  for await (const event of watch) {
    keys.push(`${event.revision} ${event.key}`);
    if (keys.length === 2) break;
  }
  t.deepEqual(keys, [`${revision} a`, `${revision + 1} b`]);
});

test("after a kill it goes on above what was given out, and says so", async (t) => {
  const { dataDir } = await folderWithOne(t);
  const first = await started(t, dataDir);
  const { revision } = await first.kv.put("a", "lost");
  await first.server.process.kill();
  const second = await started(t, dataDir);
  t.is((await second.kv.get("a"))?.text(), "kept");
  t.true((await second.kv.put("b", "1")).revision > revision);
  t.regex(second.server.process.stdout, /"level":"warn"[^\n]*not stopped properly/);
  const old = second.kv.get("a", { revision });
  const error = await t.throwsAsync(old, { instanceOf: KvdClientError });
  t.is(error?.reason, "REVISION_COMPACTED");
  const watch = second.kv.watch({ all: true }, { startRevision: revision + 1 });
  const ended = await t.throwsAsync(async () => {
    for await (const event of watch) t.fail(`${event.revision}`);
  });
  t.is((ended as KvdClientError).reason, "REVISION_COMPACTED");
});

test("a second kvd in the same folder is refused, and the first goes on", async (t) => {
  const { dataDir } = await folderWithOne(t);
  const { kv } = await started(t, dataDir);
  const second = await kvd(t, "--data-dir", dataDir, "--listen", "127.0.0.1:0");
  t.is(second.exitCode, 1);
  t.regex(second.stdout, /"level":"fatal"[^\n]*is in use by another kvd/);
  t.is((await kv.get("a"))?.text(), "kept");
});

test("of many that start at once in one folder exactly one serves", async (t) => {
  const { dataDir } = await folderWithOne(t);
  const starts = await Promise.allSettled(
    Array.from({ length: 6 }, () => startKvd(t, { dataDir })),
  );
  t.is(starts.filter(({ status }) => status === "fulfilled").length, 1);
});

test("a damaged snapshot is refused by its name", async (t) => {
  const { dataDir, file } = await folderWithOne(t);
  const bytes = await readFile(file);
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  await writeFile(file, bytes);
  const start = await kvd(t, "--data-dir", dataDir, "--listen", "127.0.0.1:0");
  t.is(start.exitCode, 1);
  t.true(start.stdout.includes(file) && start.stdout.includes("is damaged"), start.stdout);
  const status = await kvd(t, "snapshot", "status", file);
  t.is(status.exitCode, 1);
  t.true(status.stderr.startsWith(`kvd: ${file} is damaged`), status.stderr);
});

test("snapshot status tells what a file holds", async (t) => {
  const { file } = await folderWithOne(t);
  const { exitCode, stdout } = await kvd(t, "snapshot", "status", "--json", file);
  t.is(exitCode, 0);
  t.like(JSON.parse(stdout), { format: 1, revision: 2, compact_revision: 0, commits: 1 });
  const text = await kvd(t, "snapshot", "status", file);
  t.regex(text.stdout, /^revision: +2$/m);
});

test("restore makes a new folder of a snapshot, and refuses one that is not empty", async (t) => {
  const { dataDir, file } = await folderWithOne(t);
  const to = join(await temporaryFolder(t), "restored");
  const { exitCode, stdout } = await kvd(t, "restore", "--data-dir", to, file);
  t.is(exitCode, 0);
  t.regex(stdout, /restored .* store [0-9a-f]{32}, revision 1000000002/);
  const { server, kv } = await started(t, to);
  t.is((await kv.get("a"))?.text(), "kept");
  const resumed = await kvctlFor(t, server.address)("watch", "--all", "--rev", "3");
  t.is(resumed.exitCode, 7);
  const again = await kvd(t, "restore", "--data-dir", dataDir, file);
  t.is(again.exitCode, 1);
  t.is(again.stderr, `kvd: ${dataDir} is not empty\n`);
});

test("commands on files say how they are used", async (t) => {
  t.is((await kvd(t, "restore", "file")).exitCode, 2);
  t.is((await kvd(t, "snapshot", "status")).exitCode, 2);
  t.is((await kvd(t, "snapshot", "what")).exitCode, 2);
  const help = await kvd(t, "restore", "--help");
  t.is(help.exitCode, 0);
  t.regex(help.stdout, /--data-dir/);
  t.is((await kvd(t, "snapshot", "status", "/nowhere/file")).exitCode, 1);
});

/** A watch over a stop of its server: the same address again, its folder with what was saved. */
async function watchOver(t: ExecutionContext, end: (server: RunningServer) => Promise<unknown>) {
  const dataDir = join(await temporaryFolder(t), "data");
  const first = await started(t, dataDir);
  const listen = first.server.address;
  const kv = first.kv;
  const watch = kv.watch({ all: true }, { startRevision: 1 });
  const events: string[] = [];
  const reading = (async () => {
    for await (const event of watch) {
      events.push(`${event.revision} ${event.key}`);
      if (event.key === "end") return undefined;
    }
  })().catch((error: unknown) => error);
  const written: string[] = [];
  const write = async (key: string) => {
    written.push(`${(await kv.put(key, "")).revision} ${key}`);
  };
  for (let index = 0; index < 50; index += 1) await write(`before${index}`);
  await end(first.server);
  await startKvd(t, { dataDir, listen });
  await kv.ready();
  for (let index = 0; index < 50; index += 1) await write(`after${index}`);
  await write("end");
  return { written, events, error: await reading };
}

test("a watch goes through a stop and a start by itself, each event once", async (t) => {
  const { written, events, error } = await watchOver(t, async (server) => {
    server.process.signal("SIGTERM");
    t.is((await server.process.ended).exitCode, 0);
  });
  t.is(error, undefined);
  t.deepEqual(events, written);
});

test("a watch that goes through a kill is told what is lost, never a gap", async (t) => {
  const { written, events, error } = await watchOver(t, (server) => server.process.kill());
  t.deepEqual(events, written.slice(0, 50));
  t.is((error as KvdClientError).reason, "REVISION_COMPACTED");
});
