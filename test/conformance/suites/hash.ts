// The hash of the entries at a revision.

import { createHash } from "node:crypto";
import type { TestFn } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import {
  ALL,
  batch,
  del,
  fromHex,
  op,
  put,
  range,
  toHex,
  withLease,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { refused } from "../../support/refused.js";

async function hashOf(engine: Engine, revision = 0): Promise<string> {
  return toHex((await engine.hash({ revision })).hash);
}

/** As docs/format.md has it, computed from a listing. */
async function hashOfListing(engine: Engine, revision: number): Promise<string> {
  const hash = createHash("sha256").update("kvd entries 1\n");
  const { entries } = await engine.range(range(ALL, { revision }));
  for (const entry of entries) {
    const frame = Buffer.alloc(40);
    frame.writeUInt32BE(entry.key.length, 0);
    frame.writeUInt32BE(entry.value.length, 4);
    frame.writeBigInt64BE(BigInt(entry.createRevision), 8);
    frame.writeBigInt64BE(BigInt(entry.modRevision), 16);
    frame.writeBigInt64BE(BigInt(entry.version), 24);
    frame.writeBigInt64BE(entry.leaseId, 32);
    hash.update(frame).update(entry.key).update(entry.value);
  }
  return hash.digest("hex");
}

async function write(engine: Engine): Promise<void> {
  await engine.grant({ id: -7n, ttlMs: 60_000 });
  await engine.put(put("a", "1"));
  await engine.put(put(fromHex("ff00"), "2", { lease: withLease(-7n) }));
  await engine.put(put("a", "3"));
  await engine.put(put("b", ""));
  await engine.delete(del("b"));
}

export function hashSuite(test: TestFn, open: OpenEngine): void {
  test("the hash is SHA-256 over the entries in their documented encoding", async (t) => {
    const engine = await open(t);
    await write(engine);
    for (const revision of [1, 2, 3, 4, 5, 6]) {
      t.is(await hashOf(engine, revision), await hashOfListing(engine, revision));
    }
  });

  test("a hash names the revision and the compact revision", async (t) => {
    const engine = await open(t);
    await write(engine);
    await engine.compact({ revision: 3 });
    const now = await engine.hash({ revision: 0 });
    t.deepEqual([now.revision, now.compactRevision, now.hash.length], [6, 3, 32]);
    t.is((await engine.hash({ revision: 4 })).revision, 4);
  });

  test("equal stores have equal hashes", async (t) => {
    const engines = await Promise.all([open(t), open(t)]);
    for (const engine of engines) await write(engine);
    const [one, two] = await Promise.all(engines.map((engine) => hashOf(engine)));
    t.is(one, two);
  });

  test("what was compacted below does not count", async (t) => {
    const engines = await Promise.all([open(t), open(t)]);
    for (const engine of engines) await write(engine);
    await engines[0].compact({ revision: 6 });
    await engines[1].compact({ revision: 2 });
    t.is(await hashOf(engines[0]), await hashOf(engines[1]));
  });

  for (const [what, change] of [
    ["another value", (engine: Engine) => engine.put(put("a", "4"))],
    ["the same value again", (engine: Engine) => engine.put(put("a", "3"))],
    ["one key more", (engine: Engine) => engine.put(put("c"))],
    ["one key less", (engine: Engine) => engine.delete(del("a"))],
    ["another lease", (engine: Engine) => engine.put(put("a", "3", { lease: withLease(-7n) }))],
  ] as const) {
    test(`${what} is another hash, and the old revision keeps its own`, async (t) => {
      const engine = await open(t);
      await write(engine);
      const before = await hashOf(engine);
      await change(engine);
      t.not(await hashOf(engine), before);
      t.is(await hashOf(engine, 6), before);
    });
  }

  test("bytes that move between key and value, or between entries, change the hash", async (t) => {
    const hashes = new Set<string>();
    for (const pairs of [
      [["ab", "c"]],
      [["a", "bc"]],
      [["abc", ""]],
      [
        ["a", ""],
        ["b", "c"],
      ],
    ]) {
      const engine = await open(t);
      for (const [key = "", value = ""] of pairs) await engine.put(put(key, value));
      hashes.add(await hashOf(engine));
    }
    t.is(hashes.size, 4);
  });

  test("a hash in the future or below the compact revision is refused", async (t) => {
    const engine = await open(t);
    await write(engine);
    await engine.compact({ revision: 4 });
    await refused(t, "REVISION_FUTURE", engine.hash({ revision: 7 }));
    await refused(t, "REVISION_COMPACTED", engine.hash({ revision: 3 }));
  });

  test("a hash of much reflects one revision, whatever is written meanwhile", async (t) => {
    const engine = await open(t);
    const value = new Uint8Array(1000);
    for (let round = 0; round < 4; round += 1) {
      const operations = Array.from({ length: 1500 }, (_, index) =>
        op.put(put(`key${round}${index}`, value)),
      );
      await engine.batch(batch(operations));
    }
    const hashing = engine.hash({ revision: 6001 });
    await engine.delete(del(ALL));
    await engine.put(put("a"));
    const { hash } = await hashing;
    t.is(toHex(hash), await hashOf(engine, 6001));
  });
}
