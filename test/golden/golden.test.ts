// Directories that earlier versions have written open, and hold what they held. The folders are
// frozen: one for each version of the format.

import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { inspect } from "../../server/engines/inspection.js";
import { openMemoryEngine } from "../../server/engines/memory.js";
import { defaultLimits } from "../../server/kv/limits.js";
import { put } from "../support/commands.js";
import { type GoldenFacts, goldenFacts } from "../support/golden.js";
import { ManualClock } from "../support/manual-clock.js";

const GOLDEN = fileURLToPath(new URL("../../../test/golden/", import.meta.url));
const VERSIONS = (await readdir(GOLDEN, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test("there is a folder for each version of the format", (t) => {
  t.deepEqual(VERSIONS, ["v1", "v2"]);
});

for (const version of VERSIONS) {
  for (const state of ["log", "killed", "stopped"]) {
    test(`a directory of format ${version}, ${state}, opens and holds what it held`, async (t) => {
      const path = join(await mkdtemp(join(tmpdir(), "kvd-golden-")), "data");
      t.teardown(() => rm(join(path, ".."), { recursive: true, force: true }));
      await cp(join(GOLDEN, version, state), path, { recursive: true });
      const text = await readFile(join(GOLDEN, version, `${state}.json`), "utf8");
      const facts: GoldenFacts = JSON.parse(text);
      const clock = new ManualClock();
      const limits = defaultLimits();
      const found = await inspect({ dataDir: path, limits, clock });
      t.like(found, {
        revision: facts.revision,
        clean: state === "stopped",
        damaged: [],
        torn: undefined,
      });
      const data = { path, snapshotIntervalMs: 3_600_000, spareBytes: 512 };
      const engine = await openMemoryEngine({ limits, clock, data });
      t.teardown(() => engine.close());
      engine.check();
      t.like(await goldenFacts(engine), facts);
      t.is((await engine.put(put("next"))).revision, facts.revision + 1);
    });
  }
}
