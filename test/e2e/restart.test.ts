// kvd over a data directory, as processes: stops, kills, restores, damage.

import { createHash } from "node:crypto";
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
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
  return { dataDir, log: join(dataDir, "log-0000000000000001.kvd") };
}

/** A snapshot of a store with one key, saved by kvctl. */
async function snapshotOfOne(t: ExecutionContext) {
  const { dataDir } = await folderWithOne(t);
  const { server } = await started(t, dataDir);
  const file = join(await temporaryFolder(t), "file.kvd");
  const saved = await kvctlFor(t, server.address)("snapshot", "save", file);
  t.is(saved.exitCode, 0, saved.stderr);
  return { file };
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

test("after a kill everything that was answered is there, and revisions go on", async (t) => {
  const { dataDir } = await folderWithOne(t);
  const first = await started(t, dataDir);
  const { revision } = await first.kv.put("a", "answered");
  await first.server.process.kill();
  const second = await started(t, dataDir);
  t.is((await second.kv.get("a"))?.text(), "answered");
  t.is((await second.kv.put("b", "1")).revision, revision + 1);
  t.is((await second.kv.get("a", { revision: revision - 1 }))?.text(), "kept");
});

test("a tail that a crash has torn is told of once, and kept aside", async (t) => {
  const { dataDir, log } = await folderWithOne(t);
  const first = await started(t, dataDir);
  await first.kv.put("a", "torn");
  await first.server.process.kill();
  const { size } = await stat(log);
  await truncate(log, size - 3);
  const second = await started(t, dataDir);
  t.is((await second.kv.get("a"))?.text(), "kept");
  const warning =
    /"level":"warn"[^\n]*log-0000000000000001\.kvd ends in what a crash has torn[^\n]*/;
  const said = warning.exec(second.server.process.stdout)?.[0] ?? "";
  const { file, offset, bytes, aside } = JSON.parse(`{${said}`);
  t.deepEqual(
    [file, offset + bytes, aside],
    [log, size - 3, `torn-0000000000000001-${offset}.kvd`],
  );
  t.is((await stat(join(dataDir, aside))).size, bytes);
  await second.kv.put("b", "1");
  await second.server.process.kill();
  const third = await started(t, dataDir);
  t.notRegex(third.server.process.stdout, /torn/);
  t.is((await third.kv.get("b"))?.text(), "1");
});

test("check reads all of a folder and changes nothing; repair saves the rest of it", async (t) => {
  const { dataDir, log } = await folderWithOne(t);
  const running = await started(t, dataDir);
  for (const key of ["b", "to be damaged", "d"]) await running.kv.put(key, "x");
  t.is((await kvd(t, "check", "--data-dir", dataDir)).exitCode, 1);
  await running.server.process.kill();
  const before = await contentsOf(dataDir);
  const whole = await kvd(t, "check", "--json", "--data-dir", dataDir);
  t.is(whole.exitCode, 0);
  t.like(JSON.parse(whole.stdout), { revision: 5, keys: 4, clean_stop: false });
  const bytes = await readFile(log);
  const at = bytes.indexOf("to be damaged");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(log, bytes);
  const damaged = await contentsOf(dataDir);
  for (const args of [["check"], ["--listen", "127.0.0.1:0"]]) {
    const { exitCode, stdout, stderr } = await kvd(t, ...args, "--data-dir", dataDir);
    t.is(exitCode, 74);
    t.regex(stdout + stderr, /log-0000000000000001\.kvd is damaged: at offset \d+/);
  }
  const told = await kvd(t, "repair", "--data-dir", dataDir);
  t.is(told.exitCode, 0);
  t.regex(told.stdout, /is whole up to revision 3; what comes after it, \d+ bytes/);
  const to = join(await temporaryFolder(t), "repaired");
  t.is((await kvd(t, "repair", "--data-dir", dataDir, "--to", to)).exitCode, 0);
  t.deepEqual(await contentsOf(dataDir), damaged);
  t.deepEqual([...before.keys()], [...damaged.keys()]);
  const { kv } = await started(t, to);
  t.is((await kv.get("b"))?.text(), "x");
  t.is(await kv.get("to be damaged"), undefined);
  t.true((await kv.put("d", "")).revision > 1_000_000_000);
});

async function contentsOf(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort();
  const hash = async (name: string) =>
    createHash("sha256")
      .update(await readFile(join(folder, name)))
      .digest("hex");
  return new Map(await Promise.all(names.map(async (name) => [name, await hash(name)] as const)));
}

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
  const { file } = await snapshotOfOne(t);
  const bytes = await readFile(file);
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  await writeFile(file, bytes);
  const status = await kvd(t, "snapshot", "status", file);
  t.is(status.exitCode, 74);
  t.true(status.stderr.startsWith(`kvd: ${file} is damaged`), status.stderr);
});

test("snapshot status tells what a file holds", async (t) => {
  const { file } = await snapshotOfOne(t);
  const { exitCode, stdout } = await kvd(t, "snapshot", "status", "--json", file);
  t.is(exitCode, 0);
  t.like(JSON.parse(stdout), { format: 2, revision: 2, compact_revision: 0, commits: 1 });
  const text = await kvd(t, "snapshot", "status", file);
  t.regex(text.stdout, /^revision: +2$/m);
});

test("restore makes a new folder of a snapshot, and refuses one that is not empty", async (t) => {
  const { file } = await snapshotOfOne(t);
  const to = join(await temporaryFolder(t), "restored");
  const { exitCode, stdout } = await kvd(t, "restore", "--data-dir", to, file);
  t.is(exitCode, 0);
  t.regex(stdout, /restored .* store [0-9a-f]{32}, revision 1000000002/);
  const { server, kv } = await started(t, to);
  t.is((await kv.get("a"))?.text(), "kept");
  const resumed = await kvctlFor(t, server.address)("watch", "--all", "--rev", "3");
  t.is(resumed.exitCode, 7);
  const { dataDir } = await folderWithOne(t);
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

test("a watch goes through a kill and a start by itself, each event once", async (t) => {
  const { written, events, error } = await watchOver(t, (server) => server.process.kill());
  t.is(error, undefined);
  t.deepEqual(events, written);
});
