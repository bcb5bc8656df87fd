// Reading and writing single keys, and the revisions that come of it.

import type { TestFn } from "ava";
import {
  bytes,
  del,
  fromHex,
  get,
  op,
  plain,
  put,
  TXN_OPTIONS,
  text,
  toHex,
  txn,
} from "../../support/commands.js";
import type { OpenEngine } from "../../support/engines.js";
import { onlyIf } from "../../support/only-if.js";
import { refused, refusedUnchanged } from "../../support/refused.js";

const KEYS_OF_ALL_KINDS: readonly (readonly [what: string, hex: string])[] = [
  ["one zero byte", "00"],
  ["one 0xff byte", "ff"],
  ["bytes that are not UTF-8", "c3 28"],
  ["a surrogate, encoded", "ed a0 80"],
  ["an overlong encoding", "c0 af"],
  ["a truncated character", "f0 9f 98"],
  ["a byte order mark in front", "ef bb bf 61"],
  ["U+FFFD itself", "ef bf bd"],
  ["a character beyond the BMP", "f0 9f 98 80"],
  ["a zero byte inside", "61 00 62"],
  ["a line break and a quote", "0a 22 5c"],
];

export function getPutSuite(test: TestFn, open: OpenEngine): void {
  test("an empty store is at revision 1", async (t) => {
    const engine = await open(t);
    t.is((await engine.get(get("a"))).revision, 1);
    const { revision, durableRevision, keys, compactRevision } = await engine.status();
    t.deepEqual([revision, durableRevision, keys], [1, 1, 0]);
    t.true(compactRevision <= 1);
  });

  test("an absent key is an answer without an entry", async (t) => {
    const engine = await open(t);
    await engine.put(put("b"));
    const { entry, revision } = await engine.get(get("a"));
    t.is(entry, undefined);
    t.is(revision, 2);
  });

  test("every put makes one new revision", async (t) => {
    const engine = await open(t);
    for (const expected of [2, 3, 4, 5]) t.is((await engine.put(put("a"))).revision, expected);
    t.is((await engine.status()).revision, 5);
  });

  test("an entry tells its creation, its last change and how many changes there were", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("other"));
    await engine.put(put("a", "2"));
    const { entry } = await engine.get(get("a"));
    t.deepEqual(entry && plain(entry), {
      key: "a",
      value: "2",
      createRevision: 2,
      modRevision: 4,
      version: 2,
      leaseId: 0n,
    });
  });

  test("the same value again is a new revision and version", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "same"));
    await engine.put(put("a", "same"));
    const { entry } = await engine.get(get("a"));
    t.deepEqual([entry?.modRevision, entry?.version, entry?.createRevision], [3, 2, 2]);
  });

  test("a delete ends an entry: the next put creates it anew, at version 1", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    await engine.put(put("a"));
    await engine.delete(del("a"));
    await engine.put(put("a"));
    const { entry } = await engine.get(get("a"));
    t.deepEqual([entry?.version, entry?.createRevision, entry?.modRevision], [1, 5, 5]);
  });

  test("an empty value is a value", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", ""));
    const { entry } = await engine.get(get("a"));
    t.is(entry?.value.length, 0);
    t.is(entry?.version, 1);
  });

  test("a value of any bytes comes back as it was", async (t) => {
    const engine = await open(t);
    const value = Uint8Array.from({ length: 1024 }, (_, index) => index % 256);
    await engine.put(put("a", value));
    const { entry } = await engine.get(get("a"));
    t.is(toHex(entry?.value ?? new Uint8Array(0)), toHex(value));
  });

  test("the largest value and the longest key come back as they were", async (t) => {
    const engine = await open(t);
    const longest = new Uint8Array(8192).fill(0xfe);
    const largest = new Uint8Array(1.5 * 1024 * 1024).fill(0x5a);
    await engine.put(put(longest, largest));
    const { entry } = await engine.get(get(longest));
    t.is(Buffer.compare(entry?.key ?? bytes(""), longest), 0);
    t.is(Buffer.compare(entry?.value ?? bytes(""), largest), 0);
  });

  for (const [what, hex] of KEYS_OF_ALL_KINDS) {
    test(`a key can be ${what}`, async (t) => {
      const engine = await open(t);
      const key = fromHex(hex);
      await engine.put(put(key, "v"));
      const { entry } = await engine.get(get(key));
      t.is(toHex(entry?.key ?? bytes("")), toHex(key));
      t.is((await engine.delete(del(key))).deleted, 1);
      t.is((await engine.get(get(key))).entry, undefined);
    });
  }

  test("keys that look alike but have other bytes are other keys", async (t) => {
    const engine = await open(t);
    const composed = "\u00e9";
    const decomposed = "e\u0301";
    const alike = [composed, decomposed, "E\u0301", "a", "a\0", "\ufeffa"];
    for (const key of alike) await engine.put(put(key, key));
    for (const key of alike) {
      const { entry } = await engine.get(get(key));
      t.deepEqual([entry && text(entry.value), entry?.version], [key, 1]);
    }
  });

  test("what a caller passed in can be changed afterwards", async (t) => {
    const engine = await open(t);
    const [key, value] = [Buffer.from("key"), Buffer.from("value")];
    await engine.put(put(key, value));
    key.fill(0);
    value.fill(0);
    const { entry } = await engine.get(get("key"));
    t.is(entry && text(entry.value), "value");
  });

  test("a get at a past revision shows the entry as it was then", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.put(put("a", "2"));
    await engine.delete(del("a"));
    await engine.put(put("a", "3"));
    const values = [];
    for (const revision of [1, 2, 3, 4, 5]) {
      const { entry, revision: reflected } = await engine.get(get("a", revision));
      t.is(reflected, revision);
      values.push(entry && text(entry.value));
    }
    t.deepEqual(values, [undefined, "1", "2", undefined, "3"]);
  });

  test("a get above the newest revision is refused, and told that revision", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const error = await refused(t, "REVISION_FUTURE", engine.get(get("a", 3)));
    t.is(error.details.revision, 2);
  });

  onlyIf(open.traits.tellsCurrentRevision, test)(
    "a get at a past revision also tells the newest one",
    async (t) => {
      const engine = await open(t);
      await engine.put(put("a"));
      await engine.put(put("a"));
      const { revision, currentRevision } = await engine.get(get("a", 2));
      t.deepEqual([revision, currentRevision], [2, 3]);
    },
  );

  test("a put gives the entry before only when it is asked for and there was one", async (t) => {
    const engine = await open(t);
    const first = await engine.put(put("a", "1", { returnPrevious: true }));
    const second = await engine.put(put("a", "2"));
    const third = await engine.put(put("a", "3", { returnPrevious: true }));
    t.is(first.previous, undefined);
    t.is(second.previous, undefined);
    t.deepEqual(third.previous && plain(third.previous), {
      key: "a",
      value: "2",
      createRevision: 2,
      modRevision: 3,
      version: 2,
      leaseId: 0n,
    });
  });

  test("a put over a deleted key has no entry before", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1"));
    await engine.delete(del("a"));
    t.is((await engine.put(put("a", "2", { returnPrevious: true }))).previous, undefined);
  });

  test("a put without a lease answers no lease and no time", async (t) => {
    const engine = await open(t);
    const { leaseId, ttlMs } = await engine.put(put("a"));
    t.deepEqual([leaseId, ttlMs], [0n, 0]);
  });

  test("a put with the mod revision that it expects is done", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "1", { expectedModRevision: 0 }));
    const { revision } = await engine.put(put("a", "2", { expectedModRevision: 2 }));
    t.is(revision, 3);
  });

  for (const [what, expectedModRevision] of [
    ["absence", 0],
    ["an older mod revision", 2],
    ["a newer mod revision", 4],
  ] as const) {
    test(`a put that expects ${what} of another entry changes nothing and tells what is`, async (t) => {
      const engine = await open(t);
      await engine.put(put("a", "1"));
      await engine.put(put("a", "2"));
      await engine.put(put("b"));
      const error = await refusedUnchanged(t, "PRECONDITION_FAILED", engine, () =>
        engine.put(put("a", "3", { expectedModRevision })),
      );
      t.is(error.details.modRevision, 3);
      t.is(error.details.revision, 4);
    });
  }

  test("a put that expects an entry of an absent key is told mod revision 0", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    await engine.delete(del("a"));
    const error = await refusedUnchanged(t, "PRECONDITION_FAILED", engine, () =>
      engine.put(put("a", "", { expectedModRevision: 2 })),
    );
    t.is(error.details.modRevision, 0);
    t.is(error.details.revision, 3);
  });

  test("a put that expects absence creates a key again after its delete", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    await engine.delete(del("a"));
    t.is((await engine.put(put("a", "", { expectedModRevision: 0 }))).revision, 4);
  });

  test("of puts that expect the same revision at once, exactly one is done", async (t) => {
    const engine = await open(t);
    await engine.put(put("a"));
    const attempts = Array.from({ length: 20 }, (_, index) =>
      engine.put(put("a", `${index}`, { expectedModRevision: 2 })).then(
        () => "done",
        (error: { reason: string }) => error.reason,
      ),
    );
    const outcomes = (await Promise.all(attempts)).sort();
    t.deepEqual(outcomes, [...Array(19).fill("PRECONDITION_FAILED"), "done"]);
    t.is((await engine.status()).revision, 3);
  });

  test("puts at once get revisions of their own, without gaps", async (t) => {
    const engine = await open(t);
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, index) => engine.put(put(`key${index}`))),
    );
    const revisions = results.map(({ revision }) => revision).sort((a, b) => a - b);
    t.deepEqual(
      revisions,
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  });

  test("a get after an acknowledged put sees it", async (t) => {
    const engine = await open(t);
    for (let round = 0; round < 20; round += 1) {
      const { revision } = await engine.put(put("a", `${round}`));
      const read = await engine.get(get("a"));
      t.true(read.revision >= revision);
      t.is(read.entry && text(read.entry.value), `${round}`);
    }
  });

  test("a put in a txn and a put alone make the same entry", async (t) => {
    const engine = await open(t);
    await engine.put(put("a", "v"));
    await engine.txn(txn({ success: [op.put(put("b", "v"))] }), TXN_OPTIONS);
    const alone = (await engine.get(get("a"))).entry;
    const inTxn = (await engine.get(get("b"))).entry;
    t.deepEqual([alone?.version, alone?.leaseId], [inTxn?.version, inTxn?.leaseId]);
    t.is(inTxn?.createRevision, 3);
  });
}
