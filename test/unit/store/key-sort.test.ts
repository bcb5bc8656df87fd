// Keys that are sorted all at once come out as if they had been compared one by one, and a store
// that was loaded without their order has it when it is asked for.

import test from "ava";
import fc from "fast-check";
import { NO_LEASE } from "../../../server/kv/types.js";
import { KeySpace } from "../../../server/store/key-space.js";
import { NO_KEY } from "../../../server/store/key-table.js";

const tail = fc.oneof(
  fc.constantFrom("", "\0", "\0\0\0\0", "\0\0\0\0\0", "a", "\xff", "\xff\xff\xff\xff\xff"),
  fc.nat(300).map((number) => `${number}`.padStart(7, "0")),
);
const text = fc
  .tuple(fc.constantFrom("", "k", "key:", "key:\0"), tail, tail)
  .map((parts) => parts.join(""))
  .filter((key) => key !== "");

test("what is loaded in any order is walked in that of the keys' bytes", (t) => {
  const property = fc.property(
    fc.uniqueArray(text, { maxLength: 200 }),
    fc.nat(199),
    (all, gone) => {
      const keys = new KeySpace([3, 4]);
      keys.startLoading();
      for (const each of all) add(keys, Buffer.from(each, "latin1"));
      const taken = all.slice(gone);
      for (const each of [...taken].reverse())
        keys.takeBack(keys.find(Buffer.from(each, "latin1")));
      keys.finishLoading();
      keys.check();
      const walk = keys.ascend(undefined);
      const walked: string[] = [];
      for (let id = walk.next(); id !== NO_KEY; id = walk.next()) {
        walked.push(Buffer.from(keys.rows.keyOf(keys.newest(id))).toString("latin1"));
      }
      t.deepEqual(walked, all.slice(0, gone).sort());
      add(keys, Buffer.from("zz"));
      keys.check();
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test("keys that are alike in more bytes than a stack has frames are sorted", (t) => {
  const keys = new KeySpace([3, 4]);
  keys.startLoading();
  const alike = "a".repeat(65_000);
  const all = Array.from({ length: 40 }, (_, at) => `${alike}${(at * 7) % 40}`.padEnd(65_005, "-"));
  const some = Array.from({ length: 40 }, (_, at) => alike.slice(0, 60_000 + ((at * 7) % 40)));
  for (const each of ["z", ...all, ...some, "b"]) add(keys, Buffer.from(each));
  keys.finishLoading();
  t.notThrows(() => keys.check());
});

function add(keys: KeySpace, key: Uint8Array): void {
  keys.add(NO_KEY, {
    revision: 2,
    place: 0,
    deleted: undefined,
    key,
    keyStart: 0,
    keyEnd: key.length,
    value: key,
    valueStart: 0,
    valueEnd: key.length,
    createRevision: 2,
    version: 1,
    leaseId: NO_LEASE,
    view: undefined,
  });
}
