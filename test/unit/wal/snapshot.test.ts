// A snapshot holds all of a store, and one that was changed in any way is refused.

import { Readable } from "node:stream";
import test, { type ExecutionContext } from "ava";
import { openMemoryEngine } from "../../../server/engines/memory.js";
import type { Engine } from "../../../server/kv/engine.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { NO_TARGET } from "../../../server/store/image.js";
import type { NewRow } from "../../../server/store/row-layout.js";
import { DataError } from "../../../server/wal/data-error.js";
import { readSnapshot, type SnapshotSink } from "../../../server/wal/snapshot-reader.js";
import {
  ALL,
  del,
  op,
  put,
  range,
  TXN_OPTIONS,
  txn,
  withLease,
  withTtl,
} from "../../support/commands.js";
import { openMemoryFor } from "../../support/engines.js";
import { ManualClock } from "../../support/manual-clock.js";
import { snapshotOf } from "../../support/snapshot.js";
import { historyOf } from "../../support/take.js";

const SINK: SnapshotSink = {
  begin: () => NO_TARGET,
  end: () => {},
  pause: () => Promise.resolve(),
};

function read(bytes: Uint8Array, sink: Partial<SnapshotSink> = {}) {
  return readSnapshot("small.kvd", Readable.from([bytes]), { ...SINK, ...sink });
}

/** Entries, tombstones of every reason, leases of every kind, a compacted past. */
async function fill(engine: Engine, clock: ManualClock): Promise<void> {
  await engine.put(put("old", "1"));
  await engine.put(put("old", "2"));
  await engine.put(put("kept", "k".repeat(300)));
  await engine.delete(del("old"));
  await engine.compact({ revision: 5 });
  clock.advance(1500);
  await engine.put(put("a", "", { lease: withTtl(2000) }));
  await engine.grant({ id: -7n, ttlMs: 60_000 });
  await engine.put(put("b", "x", { lease: withLease(-7n) }));
  await engine.grant({ id: 9n, ttlMs: 90_000 });
  await engine.put(put("c", "y", { lease: withLease(9n) }));
  await engine.revoke({ id: 9n });
  clock.advance(2500);
  await clock.settle();
  await engine.txn(
    txn({ success: [op.put(put("t/1")), op.put(put("t/2")), op.delete(del("b"))] }),
    TXN_OPTIONS,
  );
  await engine.put(put("b", "again", { lease: withLease(-7n) }));
}

async function filled(t: ExecutionContext) {
  const clock = new ManualClock();
  const engine = await openMemoryFor(t, { clock });
  await fill(engine, clock);
  return { clock, engine, bytes: Buffer.concat(await snapshotOf(engine)) };
}

test("what is read back is the same store", async (t) => {
  const { clock, engine, bytes } = await filled(t);
  const limits = defaultLimits();
  const { storeId } = engine;
  const snapshot = Readable.from([bytes]);
  const other = await openMemoryEngine({ limits, clock, storeId, snapshot });
  other.check();
  const [before, after] = [await engine.status(), await other.status()];
  for (const name of ["revision", "compactRevision", "keys", "leases", "liveBytes"] as const) {
    t.is(after[name], before[name], name);
  }
  t.deepEqual(await historyOf(other, 5), await historyOf(engine, 5));
  for (let revision = 5; revision <= before.revision; revision += 1) {
    const listing = range(ALL, { revision });
    t.deepEqual((await other.range(listing)).entries, (await engine.range(listing)).entries);
  }
  const lease = { id: -7n, withKeys: true, maxBytes: 1000 };
  t.deepEqual(await other.timeToLive(lease), await engine.timeToLive(lease));
  t.deepEqual(await other.hash({ revision: 0 }), await engine.hash({ revision: 0 }));
  await t.throwsAsync(other.get({ key: Buffer.from("a"), revision: 4 }), {
    message: /below the compact/,
  });
  await other.close();
});

test("a lease that has just begun comes back, at any fraction of a millisecond", async (t) => {
  const ttlMs = 30_000;
  const fractions = Array.from({ length: 100_000 }, (_, index) => 1000 + index / 7);
  const monotonicMs = fractions.find((at) => at + ttlMs - at > ttlMs) ?? Number.NaN;
  t.true(monotonicMs > 0);
  const clock = new ManualClock({ monotonicMs });
  const engine = await openMemoryFor(t, { clock });
  await engine.grant({ id: 7n, ttlMs });
  const snapshot = Readable.from(await snapshotOf(engine));
  const { storeId } = engine;
  const other = await openMemoryEngine({ limits: defaultLimits(), clock, storeId, snapshot });
  t.is((await other.timeToLive({ id: 7n, withKeys: false, maxBytes: 0 })).grantedTtlMs, ttlMs);
  await other.close();
});

test("an empty store has a snapshot too", async (t) => {
  const engine = await openMemoryFor(t);
  const summary = await read(Buffer.concat(await snapshotOf(engine)));
  t.like(summary, { leases: 0, entries: 0, commits: 0, changes: 0 });
  t.like(summary.header, { revision: 1, compactRevision: 0, storeId: engine.storeId });
});

test("a snapshot says what it holds", async (t) => {
  const { bytes, engine } = await filled(t);
  const summary = await read(bytes);
  const { revision } = await engine.status();
  t.like(summary, { leases: 1, entries: 1, commits: revision - 4, bytes: bytes.length });
});

test("with any byte changed it is refused by its name", async (t) => {
  const { bytes } = await filled(t);
  t.true(bytes.length > 100 && bytes.length < 2000);
  for (let at = 0; at < bytes.length; at += 1) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ mask;
      let ended = false;
      const error = await t.throwsAsync(
        read(changed, {
          end() {
            ended = true;
          },
        }),
        { instanceOf: DataError, message: /^small\.kvd / },
        `byte ${at} ^ ${mask}`,
      );
      t.false(ended, `${error?.message}`);
    }
  }
});

test("cut off anywhere it is refused, and so is one that goes on", async (t) => {
  const { bytes } = await filled(t);
  for (let length = 0; length < bytes.length; length += 1) {
    await t.throwsAsync(read(bytes.subarray(0, length)), { instanceOf: DataError });
  }
  const longer = Buffer.concat([bytes, Buffer.of(0)]);
  await t.throwsAsync(read(longer), { message: /small\.kvd is damaged: it goes on after its end/ });
});

test("another file is no snapshot", async (t) => {
  const text = Buffer.from("a text that is long enough to be something");
  await t.throwsAsync(read(text), { message: /small\.kvd is not a snapshot of kvd/ });
});

test("a snapshot of another format says which", async (t) => {
  const { bytes } = await filled(t);
  for (const format of [0, 3]) {
    bytes.writeUInt32BE(format, 8);
    const message = `small.kvd has the format ${format}, and this kvd reads 1 to 2`;
    await t.throwsAsync(read(bytes), { instanceOf: DataError, message });
  }
});

test("entries keep their places among the changes of their revision", async (t) => {
  const engine = await openMemoryFor(t);
  const operations = [op.put(put("b")), op.put(put("c")), op.put(put("a"))];
  await engine.txn(txn({ success: operations }), TXN_OPTIONS);
  await engine.put(put("c", "again"));
  await engine.compact({ revision: 3 });
  const places: string[] = [];
  const note = ({ key, keyStart, keyEnd, revision, place }: NewRow) =>
    places.push(`${Buffer.from(key.subarray(keyStart, keyEnd))} ${revision}.${place}`);
  await read(Buffer.concat(await snapshotOf(engine)), {
    begin: () => ({ ...NO_TARGET, entry: note, change: note }),
  });
  t.deepEqual(places, ["a 2.2", "b 2.0", "c 3.0"]);
});

test("a length that lies costs no memory", async (t) => {
  const { bytes } = await filled(t);
  const header = 16 + bytes.readUInt32BE(12);
  for (const length of [0xffffffff, 200 * 1024 * 1024]) {
    const changed = Buffer.from(bytes);
    changed.writeUInt32BE(length, header);
    changed.writeUInt32BE(length, header + 4);
    await t.throwsAsync(read(changed), { instanceOf: DataError });
  }
});

test("chunks may be cut anywhere", async (t) => {
  const { bytes } = await filled(t);
  const single = Array.from(bytes, (byte) => Buffer.of(byte));
  const summary = await readSnapshot("f", Readable.from(single), SINK);
  t.is(summary.bytes, bytes.length);
});

test("values of any size come back, small blocks or large", async (t) => {
  const engine = await openMemoryFor(t);
  const sizes = [0, 1, 255, 256 * 1024 - 20, 256 * 1024, 1_500_000];
  for (const size of sizes) await engine.put(put(`s${size}`, Buffer.alloc(size, "ab")));
  const noise = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) % 251));
  await engine.put(put("noise", noise));
  const snapshot = Readable.from(await snapshotOf(engine));
  const options = { limits: defaultLimits(), clock: new ManualClock(), snapshot };
  const other = await openMemoryEngine({ ...options, storeId: engine.storeId });
  t.deepEqual(await other.hash({ revision: 0 }), await engine.hash({ revision: 0 }));
  await other.close();
});

test("a snapshot is of one revision, whatever is written while it is read", async (t) => {
  const engine = await openMemoryFor(t);
  for (let n = 0; n < 3000; n += 1) await engine.put(put(`k${n}`, `${n}`));
  const expected = await engine.hash({ revision: 0 });
  const stream = await engine.snapshot();
  const chunks: Uint8Array[] = [];
  let n = 0;
  for (let chunk = await stream.next(); chunk !== undefined; chunk = await stream.next()) {
    chunks.push(chunk);
    await engine.put(put(`k${n}`, "later"));
    await engine.delete(del(`k${2999 - n}`));
    n += 1;
  }
  stream.close();
  const snapshot = Readable.from(chunks);
  const options = { limits: defaultLimits(), clock: new ManualClock(), snapshot };
  const other = await openMemoryEngine({ ...options, storeId: engine.storeId });
  t.is((await other.status()).revision, stream.revision);
  t.deepEqual((await other.hash({ revision: 0 })).hash, expected.hash);
  await other.close();
});

test("compaction waits for a snapshot that is being read", async (t) => {
  const engine = await openMemoryFor(t);
  for (let n = 0; n < 10; n += 1) await engine.put(put("k", `${n}`));
  const stream = await engine.snapshot();
  await engine.compact({ revision: 11 });
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.next(); chunk !== undefined; chunk = await stream.next()) {
    chunks.push(chunk);
  }
  t.is((await read(Buffer.concat(chunks))).changes, 10);
  t.is((await engine.status()).counters["commits_kept"], 10);
  stream.close();
  t.is((await engine.status()).counters["commits_kept"], 1);
});
