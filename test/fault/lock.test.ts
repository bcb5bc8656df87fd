// One server per data directory, by whichever way one comes to it; and a server that was killed
// leaves no lock behind.
//
// KVD_SEED sets the seed, which is printed.

import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { connect } from "../../client/index.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import {
  HookScope,
  KVD,
  NODE,
  type RunningServer,
  startKvd,
  temporaryFolder,
} from "../support/process.js";
import { seededRandom } from "../support/seeded-random.js";

const ROUNDS = scaled({ quick: 1, long: 100 });
const STARTS = 20;

/** Begins kvd in a folder, for paths that are relative to it. */
const IN_FOLDER = 'cd "$0" && exec "$@"';

test(`of ${STARTS} that start at once exactly one serves, ${ROUNDS} times`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const root = await temporaryFolder(t);
  await mkdir(join(root, "real", "data"), { recursive: true });
  await symlink(join(root, "real", "data"), join(root, "link"));
  await symlink("real", join(root, "folder"));
  const ways = ["real/data", "link", "folder/data", "./real/../link/.", "folder/../real/data/"];
  for (let round = 0; round < ROUNDS; round += 1) {
    const scope = new HookScope();
    const starts = await Promise.allSettled(
      Array.from({ length: STARTS }, () => {
        const way = random.pick([...ways, ...ways.map((each) => join(root, each))]);
        return startKvd(scope, { dataDir: way, kvd: ["sh", "-c", IN_FOLDER, root, NODE, KVD] });
      }),
    );
    const serving: RunningServer[] = [];
    for (const start of starts) {
      if (start.status === "fulfilled") serving.push(start.value);
      else t.regex(String(start.reason), /ended with [1-9].*in use by another kvd/s);
    }
    t.is(serving.length, 1);
    const kv = connect(serving[0]?.address ?? "");
    t.is((await kv.count({ all: true })).count, round);
    await kv.put(`round ${round}`, "served");
    await kv.close();
    await scope.end();
  }
  t.log(`P7 rounds of ${STARTS} starts: ${ROUNDS}, not exactly one served: 0`);
});
