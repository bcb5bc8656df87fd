// A disk that is full, on a small file system of its own: growing writes are refused, all else goes
// on, and so do writes, by themselves, when there is space again. Nothing is lost.
//
// KVD_SEED sets the seed, which is printed.

import { randomBytes } from "node:crypto";
import { open, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { connect, KvdClientError } from "../../client/index.js";
import {
  type HealthCheckResponse,
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/grpc/health/v1/health.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { connectClient, settle } from "../support/grpc-service.js";
import { judge, showJudgement } from "../support/history/judge.js";
import { wrongsKept } from "../support/history/keep.js";
import { FAMILIES, Load, openAccounts } from "../support/history/load.js";
import { HistoryRecorder } from "../support/history/recorder.js";
import { Session } from "../support/history/session.js";
import { MountedImage, whyNoImage } from "../support/mounted-image.js";
import { startKvd } from "../support/process.js";
import { seededRandom } from "../support/seeded-random.js";
import { ServerLife } from "../support/server-life.js";
import { until } from "../support/take.js";
import { whereAble } from "../support/where-able.js";

const MIB = 1024 * 1024;
const MARGIN_BYTES = 256 * 1024;
/** What kvd keeps for deletes. */
const SPARE_BYTES = 4 * MIB;
const CYCLES = scaled({ quick: 2, long: 200 });

const { declare, note } = whereAble(await whyNoImage());

declare(`${note}${CYCLES} times full and free again: nothing is lost`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const image = await MountedImage.make(t, { bytes: 64 * MIB });
  const filler = join(image.folder, "filler");
  const recorder = new HistoryRecorder();
  const dataDir = join(image.folder, "data");
  const life = new ServerLife(t, { dataDir, args: ["--snapshot-log-bytes", "1MiB"] });
  await life.start();
  await openAccounts(recorder, life.address);
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const { address, revision } = life;
    const name = `f${cycle}.`;
    const load = new Load({
      ...{ recorder, address, name, seed: random.below(1_000_000), watchFrom: revision + 1 },
    });
    const before = recorder.refusals;
    await load.answered(50);
    await until("the space for deletes is there", () => isWhole(join(dataDir, "spare")));
    while (recorder.refusals === before) {
      await fill(image.folder, filler);
      await writeMuch({ life, recorder, name: `${name}${recorder.answers}` });
    }
    await onlyGrowingWritesWait(t, { life, recorder, name: `${name}full` });
    const dies = random.below(3) === 0;
    if (dies) await life.kill();
    await rm(filler);
    if (dies) {
      await load.stop();
      recorder.died();
      await life.start();
    }
    await writesGoOn({ life, recorder, name: `${name}free` });
    await load.stop();
  }
  await life.kill();
  recorder.died();
  await life.start();
  const journal = await life.wholeJournal();
  const judgement = judge(recorder, journal, FAMILIES);
  await life.kill();
  t.log(`P6 fill and free cycles: ${CYCLES}, ${showJudgement(judgement)}`);
  t.deepEqual([...life.problems, ...wrongsKept(judgement, recorder, journal)], []);
});

/** Nothing has begun it just now: it is written from its beginning, and synced at its end. */
async function isWhole(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.size === SPARE_BYTES;
}

/** Leaves the end to kvd: to take all would take what it keeps for deletes, too. */
async function fill(folder: string, path: string): Promise<void> {
  const file = await open(path, "a");
  try {
    for (let left = await freeBytes(folder); left > 0; left = await freeBytes(folder)) {
      await file.appendFile(Buffer.alloc(Math.min(MIB, left)));
      await file.sync();
    }
  } finally {
    await file.close();
  }
}

/** But for the margin, and for the fiftieth that ext4 gives to nobody. */
async function freeBytes(folder: string): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(folder);
  return Math.floor(bfree - blocks / 50) * bsize - MARGIN_BYTES;
}

interface Look {
  readonly life: ServerLife;
  readonly recorder: HistoryRecorder;
  /** Of the client that looks. */
  readonly name: string;
}

/** More than is left, unless some becomes free meanwhile. */
async function writeMuch({ life, recorder, name }: Look): Promise<void> {
  const kv = connect(life.address, { retry: false });
  const session = new Session({ recorder, kv, name });
  let goesOn = true;
  for (let bytes = 0; goesOn && bytes < 2 * MARGIN_BYTES; bytes += 10_000) {
    goesOn = await session.put("ballast", `${session.value()} ${"x".repeat(10_000)}`);
  }
  await kv.close();
}

async function onlyGrowingWritesWait(t: ExecutionContext, look: Look): Promise<void> {
  const { life, recorder, name } = look;
  const kv = connect(life.address, { retry: false });
  const session = new Session({ recorder, kv, name });
  t.is(await healthOf(t, life.address), ServingStatus.SERVING);
  t.regex((await kv.maintenance.status()).problems.join(), /full/);
  t.is((await session.read({ prefix: "a" })).length, 4);
  const watch = kv.watch({ prefix: "r" }, { exclude: ["put"] });
  await watch.ready();
  // One that shares its batch with a growing write is refused with it.
  await until("a delete is done", () => session.delete({ prefix: "r" }));
  await kv.close();
}

async function healthOf(t: ExecutionContext, address: string): Promise<ServingStatus> {
  const health = connectClient(t, address, HealthClient);
  const ask = (done: (error: Error | null, answer: HealthCheckResponse) => void) =>
    health.check({ service: "" }, done);
  return (await settle<HealthCheckResponse>(ask)).status;
}

async function writesGoOn({ life, recorder, name }: Look): Promise<void> {
  const kv = connect(life.address, { retry: false });
  const session = new Session({ recorder, kv, name });
  await until("writes go on", () => session.put("m", session.value()));
  await kv.close();
}

declare(`${note}what fills the disk can be deleted, and then there is room`, async (t) => {
  t.timeout(TIMEOUT_MS);
  const image = await MountedImage.make(t, { bytes: 64 * MIB });
  const dataDir = join(image.folder, "data");
  const args = ["--snapshot-log-bytes", "4MiB", "--snapshot-interval", "1s"];
  const server = await startKvd(t, { dataDir, args });
  const kv = connect(server.address);
  t.teardown(() => kv.close());
  const put = (key: string) => kv.put(key, randomBytes(MIB));
  const full = await t.throwsAsync(
    async () => {
      for (let index = 0; ; index += 1) await put(`k${index}`);
    },
    { instanceOf: KvdClientError },
  );
  t.is(full?.reason, "NO_SPACE");
  const { deleted, revision } = await kv.delete({ prefix: "k" });
  t.true(deleted > 10);
  await kv.maintenance.compact(revision);
  await until("there is room", async () => {
    const written = put("k").then(() => true);
    return written.catch((error: KvdClientError) => {
      if (error.reason !== "NO_SPACE") throw error;
      return false;
    });
  });
  await server.process.kill();
});
