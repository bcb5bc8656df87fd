// All cities of the world through kvctl: in, listed, paged, out, and watched, while others write.
// The tests follow one another on one server.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { connect, del, type Kvd, put, type WatchEvent } from "../../client/index.js";
import { inKeyOrder, jsonLines, readPlaces, rowFromPlace } from "../support/cities.js";
import {
  HookScope,
  KVCTL,
  KVD,
  type Kvctl,
  kvctlFor,
  NODE,
  type RunningServer,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";

const PLACES = readPlaces();
const ROWS = inKeyOrder(PLACES.map(rowFromPlace));
const LINES = jsonLines(ROWS);

const scope = new HookScope();
let kvctl: Kvctl;
let kv: Kvd;
let address: string;
let server: RunningServer;
let folder: string;
/** The revision after the import, which writes a batch a revision. */
let imported = 0;
/** All that was written since, in order. */
const written: Change[] = [];

test.before(async () => {
  folder = await temporaryFolder(scope);
  await start();
});

/** All history is kept, for the watch that begins at its beginning. */
async function start(): Promise<void> {
  const dataDir = join(folder, "data");
  server = await startKvd(scope, { dataDir, args: ["--history-bytes", "0"] });
  ({ address } = server);
  kvctl = kvctlFor(scope, address);
  const own = connect(address);
  kv = own;
  scope.teardown(() => own.close());
}

test.after.always(() => scope.end());

test.serial("every place has a key of its own, that tells all its parts", (t) => {
  t.is(PLACES.length, 171_075);
  t.is(new Set(ROWS.map(({ key }) => key)).size, PLACES.length);
  for (const { key, value } of ROWS) {
    const { country, name, lat, lng } = JSON.parse(value);
    const parts = /^city\/([A-Z]{2})\/(.+)\/([-\d.]+),([-\d.]+)$/s.exec(key);
    if (parts?.[1] === country && parts?.[2] === name) {
      if (parts?.[3] === lat && parts?.[4] === lng) continue;
    }
    t.fail(key);
  }
});

test.serial("import writes all places, many in a revision", async (t) => {
  const file = join(folder, "cities.jsonl");
  await writeFile(file, LINES);
  const importing = kvctl("import", file, "--output", "json");
  await underWay(kv);
  const saved = await kvctl("snapshot", "save", join(folder, "during.kvd"), "--output", "json");
  const { exitCode, stdout, stderr } = await importing;
  t.is(saved.exitCode, 0, saved.stderr);
  t.is(exitCode, 0, stderr);
  const answer = JSON.parse(stdout);
  imported = answer.revision;
  t.like(answer, { written: PLACES.length, added: PLACES.length, unchanged: 0, failed: 0 });
  t.true(imported > 100 && imported < 1_000, `${imported}`);
  t.is((await kv.count({ all: true })).count, PLACES.length);
});

test.serial("the snapshot that was saved meanwhile is the import up to its revision", async (t) => {
  const file = join(folder, "during.kvd");
  const status = await run(t, [NODE, KVD, "snapshot", "status", "--json", file]);
  const { revision } = JSON.parse(status.stdout);
  t.true(revision > 1 && revision < imported, `${revision}`);
  const dataDir = join(folder, "restored");
  t.is((await run(t, [NODE, KVD, "restore", "--data-dir", dataDir, file])).exitCode, 0);
  const restored = await startKvd(t, { dataDir });
  const { stdoutBytes } = await kvctlFor(t, restored.address)("export");
  const { stdoutBytes: expected } = await kvctl("export", "--rev", String(revision));
  t.true(stdoutBytes.equals(expected));
  const lines = Buffer.from(stdoutBytes).toString().split("\n").length - 1;
  t.true(lines > 0 && lines < PLACES.length, `${lines}`);
});

test.serial("on a terminal the import shows how far it is, and what would change", async (t) => {
  const command = `"${NODE}" "${KVCTL}" import "${join(folder, "cities.jsonl")}" --dry-run`;
  const environment = { KVCTL_SERVER: address, TERM: "xterm" };
  const terminal = ["script", "--quiet", "--return", "--command", command, "/dev/null"] as const;
  const { exitCode, stdout } = await run(t, terminal, { environment });
  t.is(exitCode, 0);
  t.regex(stdout, /comparing \[.*\] \d+%/s);
  t.true(stdout.includes(`leave ${PLACES.length} unchanged`));
});

test.serial("ls folds the countries, and visits hundreds of entries", async (t) => {
  const visited = async () => (await kv.maintenance.status()).counters["entries_visited"] ?? -1;
  const countries = [...new Set(ROWS.map(({ key }) => key.slice(0, "city/CC/".length)))];
  const before = await visited();
  const { stdout } = await kvctl("ls", "city/");
  const visits = (await visited()) - before;
  t.deepEqual(stdout.trimEnd().split("\n"), countries);
  t.true(visits >= countries.length && visits < 1000, `${visits} entries visited`);
});

test.serial("export gives back what was imported, byte by byte", async (t) => {
  const { exitCode, stdoutBytes } = await kvctl("export");
  t.is(exitCode, 0);
  t.true(stdoutBytes.equals(Buffer.from(LINES)));
});

test.serial("all pages are of one revision while others write", async (t) => {
  const writer = new Writer(kv);
  const writing = writer.run();
  const rows: string[] = [];
  const revisions = new Set<number>();
  let pages = 0;
  let pageToken: Uint8Array | undefined;
  do {
    const options = pageToken === undefined ? {} : { pageToken };
    const page = await kv.range({ prefix: "city/" }, { revision: imported, ...options });
    revisions.add(page.revision);
    for (const entry of page.entries) rows.push(`${entry.key}\t${entry.text()}`);
    pageToken = page.nextPageToken;
    pages += 1;
  } while (pageToken !== undefined);
  const file = join(folder, "export.jsonl");
  const ended = await kvctl("export", "--rev", String(imported), "-o", file);
  const seen = written.at(-1)?.revision ?? 0;
  writer.stop();
  await writing;
  t.true(pages > 5);
  t.true(seen > imported, "nothing was written meanwhile");
  t.deepEqual([...revisions], [imported]);
  t.true(rows.join("\n") === ROWS.map(({ key, value }) => `${key}\t${value}`).join("\n"));
  t.is(ended.exitCode, 0);
  t.true(readFileSync(file).equals(Buffer.from(LINES)));
});

test.serial("a watch from revision 1 gives every event, once and in order", async (t) => {
  const writer = new Writer(kv);
  const writing = writer.run();
  const watch = kv.watch({ all: true }, { startRevision: 1 });
  t.teardown(() => watch.close());
  const caughtUp = (await watch.ready()).revision;
  const marked = writing.then(() => kv.put("end", ""));
  const shown: Change[] = [];
  for await (const event of watch) {
    if (event.key === "end") break;
    shown.push(changeFromEvent(event));
    if (event.revision > caughtUp) writer.stop();
  }
  const last = await marked;
  t.is(last.revision, 1 + (written.at(-1)?.revision ?? imported));
  t.true(caughtUp > imported && last.revision > caughtUp);
  const ofImport = shown.slice(0, PLACES.length);
  t.true(ofImport.every(({ revision }, at) => revision >= (ofImport[at - 1]?.revision ?? 2)));
  t.is(ofImport.at(-1)?.revision, imported);
  const values = new Map(ofImport.map(({ key, value }) => [key, value]));
  t.is(values.size, PLACES.length);
  t.true(ROWS.every(({ key, value }) => values.get(key) === value));
  t.deepEqual(shown.slice(PLACES.length), written);
});

test.serial("after a stop and a start everything is there, with its history", async (t) => {
  const { hash, revision } = await kv.maintenance.hash();
  server.process.signal("SIGTERM");
  t.is((await server.process.ended).exitCode, 0);
  await start();
  const again = await kv.maintenance.hash();
  t.is(again.revision, revision);
  t.deepEqual(again.hash, hash);
  const { exitCode, stdoutBytes } = await kvctl("export", "--rev", String(imported));
  t.is(exitCode, 0);
  t.true(stdoutBytes.equals(Buffer.from(LINES)));
});

test.serial(
  "an import over a kill: nothing answered is lost, and again makes it whole",
  async (t) => {
    const dataDir = join(folder, "killed");
    const file = join(folder, "cities.jsonl");
    const first = await startKvd(t, { dataDir });
    const importing = kvctlFor(t, first.address)("import", file);
    const client = connect(first.address);
    t.teardown(() => client.close());
    await underWay(client, 20_000);
    await first.process.kill();
    t.not((await importing).exitCode, 0);
    const second = await startKvd(t, { dataDir });
    const again = kvctlFor(t, second.address);
    const half = (await again("export")).stdout.split("\n").length - 1;
    t.true(half >= 20_000 && half < PLACES.length, `${half}`);
    const { exitCode, stderr } = await again("import", file);
    t.is(exitCode, 0, stderr);
    t.true((await again("export")).stdoutBytes.equals(Buffer.from(LINES)));
  },
);

/** Settles once some places are there. */
async function underWay(client: Kvd, count = 1): Promise<void> {
  let seen = 0;
  for await (const _ of client.watch({ all: true }, { startRevision: 2 })) {
    seen += 1;
    if (seen >= count) return;
  }
}

/** What a writer did, and what a watch should tell of it. */
interface Change {
  readonly revision: number;
  readonly key: string;
  /** Undefined for a delete. */
  readonly value: string | undefined;
}

function changeFromEvent(event: WatchEvent): Change {
  const { key, revision } = event;
  return { revision, key, value: event.type === "put" ? event.entry.text() : undefined };
}

/** Writes new keys, changes cities and deletes some, until it is told to stop. */
class Writer {
  readonly #kv: Kvd;
  #stopped = false;

  constructor(kv: Kvd) {
    this.#kv = kv;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    for (let round = 0; !this.#stopped; round += 1) {
      const own = `city/ZZ/${randomUUID()}`;
      const city = ROWS[(round * 7919) % ROWS.length]?.key ?? own;
      const { revision } = await this.#kv.put(own, String(round));
      written.push({ revision, key: own, value: String(round) });
      await this.#txn(city, own, round);
    }
  }

  /** Two changes in one revision, in the order in which they are made. */
  async #txn(city: string, own: string, round: number): Promise<void> {
    const value = `changed ${round}`;
    const { revision } = await this.#kv.txn({ success: [put(city, value), del(own)] });
    written.push({ revision, key: city, value }, { revision, key: own, value: undefined });
  }
}
