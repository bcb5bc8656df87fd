// Power cuts under 8 writers and 4 readers, on an ext4 file system of its own: what was
// acknowledged survives, and nobody has seen what does not.
//
// KVD_SEED sets the seed, which is printed.

import { join } from "node:path";
import { connect } from "../../client/index.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { judge, showJudgement } from "../support/history/judge.js";
import { wrongsKept } from "../support/history/keep.js";
import { FAMILIES, Load, openAccounts } from "../support/history/load.js";
import { HistoryRecorder } from "../support/history/recorder.js";
import { MountedImage, whyNoImage } from "../support/mounted-image.js";
import { startKvd } from "../support/process.js";
import { seededRandom } from "../support/seeded-random.js";
import { ServerLife } from "../support/server-life.js";
import { whereAble } from "../support/where-able.js";

const CUTS = scaled({ quick: 2, long: 100 });
const IMAGE_BYTES = 512 * 1024 * 1024;

const { declare, note } = whereAble(await whyNoImage());

declare(`${note}${CUTS} power cuts under 8 writers and 4 readers lose nothing`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const image = await MountedImage.make(t, { bytes: IMAGE_BYTES });
  const recorder = new HistoryRecorder();
  const dataDir = join(image.folder, "data");
  const life = new ServerLife(t, { dataDir, args: ["--snapshot-interval", "1s"] });
  await life.start();
  await openAccounts(recorder, life.address);
  for (let cut = 0; cut < CUTS; cut += 1) {
    const load = new Load({
      ...{ recorder, address: life.address, name: `c${cut}.`, seed: random.below(1_000_000) },
      watchFrom: life.revision + 1,
    });
    await load.answered(50 + random.below(1_500));
    load.expectFailedLog();
    life.server.process.signal("SIGSTOP");
    await image.cut();
    await life.kill();
    await load.stop();
    await image.unmount();
    await image.mount();
    await life.start();
  }
  const journal = await life.wholeJournal();
  const judgement = judge(recorder, journal, FAMILIES);
  await life.kill();
  t.log(`P1 power cuts: ${CUTS}, ${showJudgement(judgement)}`);
  t.deepEqual([...life.problems, ...wrongsKept(judgement, recorder, journal)], []);
  t.true(judgement.acknowledged > 20 * CUTS);
});

declare(`${note}a cut is one: without a sync it takes what was acknowledged`, async (t) => {
  t.timeout(TIMEOUT_MS);
  const image = await MountedImage.make(t, { bytes: IMAGE_BYTES });
  const dataDir = join(image.folder, "data");
  const first = await startKvd(t, { dataDir, args: ["--fsync", "never"] });
  const kv = connect(first.address);
  t.teardown(() => kv.close());
  for (let index = 0; index < 100; index += 1) await kv.put(`k${index}`, "v");
  await image.cut();
  await first.process.kill();
  await image.unmount();
  await image.mount();
  const second = await startKvd(t, { dataDir, args: ["--fsync", "never"] });
  const again = connect(second.address);
  t.true((await again.count({ prefix: "k" })).count < 100);
  await again.close();
  await second.process.kill();
});
