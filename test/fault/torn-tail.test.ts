// The last segment, cut at every byte. After a crash that is a torn tail: the store starts with all
// records before it, one warning says what is dropped, and the bytes are kept aside. After a clean
// stop it is damage.

import test from "ava";
import { DamagedError } from "../../server/wal/data-error.js";
import { SEGMENT_HEADER_BYTES } from "../../server/wal/log-format.js";
import { del, put, withLease } from "../support/commands.js";
import { CrashRun } from "../support/crash-run.js";
import { CrashingFiles } from "../support/crashing-files.js";
import { DATA } from "../support/disk-engine.js";
import { TIMEOUT_MS } from "../support/fault-scale.js";
import { recordsOf } from "../support/segment-records.js";
import type { Act } from "../support/store-acts.js";

const LOG = `${DATA}/log-0000000000000001.kvd`;

const ACTS: readonly Act[] = [
  { kind: "put", put: put("a", "one") },
  { kind: "grant", id: 7n, ttlMs: 60_000 },
  { kind: "put", put: put("b", "leased", { lease: withLease(7n) }) },
  { kind: "delete", delete: del("a") },
  { kind: "keepAlive", id: 7n },
  { kind: "put", put: put("long", "x".repeat(300)) },
  { kind: "compact", revision: 3 },
  { kind: "revoke", id: 7n },
  { kind: "put", put: put("a", "last") },
];

/** A log of one segment, with one record for each act. */
async function written(): Promise<CrashRun> {
  const run = new CrashRun(new CrashingFiles(), { segmentMaxBytes: 1_000_000 });
  await run.open();
  for (const act of ACTS) await run.act(act);
  return run;
}

function cutAt(files: CrashingFiles, length: number): CrashingFiles {
  const disk = files.kill();
  disk.setBytes(LOG, disk.bytesAt(LOG).subarray(0, length));
  return disk;
}

test("a tail that is cut at any byte is dropped with one warning, and kept aside", async (t) => {
  t.timeout(TIMEOUT_MS);
  const run = await written();
  const segment = run.files.bytesAt(LOG);
  const records = recordsOf(segment);
  t.is(records.length, ACTS.length);
  for (let length = SEGMENT_HEADER_BYTES; length <= segment.length; length += 1) {
    const whole = records.filter(({ end }) => end <= length);
    const offset = whole.at(-1)?.end ?? SEGMENT_HEADER_BYTES;
    const disk = cutAt(run.files, length);
    const after = run.onDisk(disk);
    after.expect({ least: whole.length, most: whole.length });
    await after.recover();

    const warnings = after.logger.texts("warn");
    const aside = disk.paths().filter((path) => path.includes("torn"));
    if (offset === length) {
      t.deepEqual([warnings, aside], [[], []]);
    } else {
      t.is(warnings.length, 1);
      for (const fact of [LOG, `offset ${offset}`, `${length - offset} bytes`]) {
        t.true(warnings[0]?.includes(fact), `${fact}: ${warnings[0]}`);
      }
      t.deepEqual(
        aside.map((path) => disk.bytesAt(path)),
        [segment.subarray(offset, length)],
      );
    }

    await after.act({ kind: "put", put: put("after", "x") });
    const again = after.onDisk(disk.powerCut({ seed: length, mode: "dropped" }));
    t.is(await again.recover(), 0);
    t.deepEqual(again.logger.texts("warn"), []);
  }
  t.log(
    `${segment.length - SEGMENT_HEADER_BYTES + 1} lengths of a segment of ${records.length} records`,
  );
});

test("a segment without its header is damaged: no crash leaves one", async (t) => {
  const run = await written();
  for (let length = 0; length < SEGMENT_HEADER_BYTES; length += 1) {
    const error = await t.throwsAsync(run.onDisk(cutAt(run.files, length)).recover(), {
      instanceOf: DamagedError,
    });
    t.true(error?.message.includes(`${LOG} is damaged: at offset 0`), error?.message);
  }
});

test("after a clean stop a segment that is cut at any byte is damaged", async (t) => {
  t.timeout(TIMEOUT_MS);
  const run = await written();
  await run.close();
  const { length } = run.files.bytesAt(LOG);
  t.is(await run.onDisk(run.files.kill()).recover(), 0);
  for (let cut = 0; cut < length; cut += 1) {
    const disk = cutAt(run.files, cut);
    const error = await t.throwsAsync(run.onDisk(disk).recover(), { instanceOf: DamagedError });
    t.regex(error?.message ?? "", /log-0{15}1\.kvd is damaged: at offset \d+/);
    t.deepEqual(disk.bytesAt(LOG), run.files.bytesAt(LOG).subarray(0, cut));
  }
  t.log(`${length} lengths`);
});
