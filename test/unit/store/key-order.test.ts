// The order of keys against a sorted array, whatever comes and goes.

import test from "ava";
import fc from "fast-check";
import { KeyOrder } from "../../../server/store/key-order.js";
import { ListedKeys } from "../../support/listed-keys.js";
import { seededRandom } from "../../support/seeded-random.js";

/** An id of no key. */
const NOBODY = 0xffffffff;

/** A KeyOrder beside a Map of its keys, as latin1 text. */
class Twin {
  readonly keys = new ListedKeys();
  readonly order = new KeyOrder({ keys: this.keys });
  readonly ids = new Map<string, number>();

  insert(key: string): void {
    if (this.ids.has(key)) return;
    const bytes = Buffer.from(`<${key}>`, "latin1");
    const id = this.keys.list(bytes.subarray(1, -1));
    this.ids.set(key, id);
    this.order.insert(id, bytes, 1, bytes.length - 1);
  }

  remove(key: string): void {
    const id = this.ids.get(key);
    const bytes = Buffer.from(`<${key}>`, "latin1");
    if (this.order.remove(id ?? NOBODY, bytes, 1, bytes.length - 1) !== this.ids.delete(key)) {
      throw new Error("the order and the map disagree on what is there");
    }
  }

  /** The invariants, whole walks, and walks from these bounds. */
  check(bounds: readonly string[]): void {
    this.order.check();
    const sorted = [...this.ids.keys()].sort();
    if (this.order.size !== sorted.length) throw new Error("the size is wrong");
    same(this.#walk(this.order.ascend()), sorted);
    same(this.#walk(this.order.descend()), sorted.toReversed());
    for (const bound of bounds) {
      const bytes = Buffer.from(bound, "latin1");
      const above = sorted.filter((key) => key >= bound).slice(0, 600);
      const below = sorted.filter((key) => key < bound).toReversed();
      same(this.#walk(this.order.ascend(bytes), above.length), above);
      same(this.#walk(this.order.descend(bytes), 600), below.slice(0, 600));
    }
  }

  #walk(cursor: { next(): number }, most = Number.POSITIVE_INFINITY): string[] {
    const found: string[] = [];
    while (found.length < most) {
      const id = cursor.next();
      if (id === 0) break;
      found.push(this.keys.keyOf(id).toString("latin1"));
    }
    return found;
  }
}

function same(found: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((key, index) => key !== found[index]);
  if (at >= 0 || found.length !== expected.length) throw new Error(`a walk differs at ${at}`);
}

const part = fc.constantFrom("a", "b", "\0", "\xff", "ab", "a\0", "prefix-of-many/", "\0\0\0\0\0");
const key = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));
const act = fc.record({ key, count: fc.nat(400), removes: fc.boolean(), step: fc.integer() });

test("keys are in the order of their bytes, after whatever was inserted and removed", (t) => {
  const property = fc.property(
    fc.array(act, { minLength: 1, maxLength: 25 }),
    fc.array(key, { minLength: 1, maxLength: 20 }),
    (acts, bounds) => {
      const twin = new Twin();
      for (const { key: head, count, removes, step } of acts) {
        for (let index = 0; index < count; index += 1) {
          const tail = String.fromCharCode((index * step) & 0xff, (index * 7) & 0xff);
          if (removes) twin.remove(head + tail);
          else twin.insert(head + tail);
        }
        twin.insert(head);
      }
      twin.check([...bounds, ""]);
      for (const [index, each] of [...twin.ids.keys()].entries()) {
        if (index % 16 !== 0) twin.remove(each);
      }
      twin.check(bounds);
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: 150 }));
});

test("thousands of random keys come, and go until none is left", (t) => {
  const random = seededRandom(11);
  const twin = new Twin();
  const bytes = () => String.fromCharCode(random.below(256));
  for (let index = 0; index < 20_000; index += 1) {
    const head = random.pick(["", "tenant/1/", "tenant/1/a", "tenant/2/", "\xff\xff\xff\xff\xff"]);
    twin.insert(head + bytes() + bytes() + bytes());
  }
  const bounds = Array.from({ length: 50 }, () => random.pick(["", "tenant/1/"]) + bytes());
  t.notThrows(() => twin.check(bounds));
  const all = [...twin.ids.keys()];
  while (all.length > 0) {
    const [gone] = all.splice(random.below(all.length), 1);
    twin.remove(gone as string);
    if (all.length % 4000 === 0) t.notThrows(() => twin.check(bounds));
  }
  twin.insert("again");
  t.notThrows(() => twin.check(bounds));
});

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => `key/${String(index).padStart(8, "0")}`);

test("more leaves than a branch has come in order, and go in pages from either side", (t) => {
  const twin = new Twin();
  const keys = numbered(280_000);
  const branch = 512 * 512;
  for (const each of keys.slice(0, branch + 1)) twin.insert(each);
  twin.remove(keys[branch] as string);
  t.notThrows(() => twin.check(["key/00262143", "key/00262144", "l"]));
  for (const each of keys.slice(branch)) twin.insert(each);
  const bounds = ["key/0", "key/00099999", "key/002", "key", "l"];
  t.notThrows(() => twin.check(bounds));
  for (const each of keys.slice(0, 230_000)) twin.remove(each);
  for (const each of keys.slice(240_000).reverse()) twin.remove(each);
  t.notThrows(() => twin.check(bounds));
  t.is(twin.order.size, 10_000);
});

test("keys that come downwards, and in several rows at once, are in order", (t) => {
  const twin = new Twin();
  const keys = numbered(5000);
  for (const each of keys.toReversed()) twin.insert(each);
  for (const each of keys) {
    for (const row of ["a/", "key", "z"]) twin.insert(row + each);
  }
  t.notThrows(() => twin.check(["key/", "keykey/00001000", "z", "a"]));
});

test("keys right behind a full leaf, each below the one before, are in order", (t) => {
  const twin = new Twin();
  for (const each of numbered(512)) twin.insert(each);
  for (const letter of [..."zyxwvutsrqponml"]) {
    twin.insert(letter);
    t.notThrows(() => twin.check([letter, `${letter}a`]));
  }
});

test("leaves that are filled and emptied between full ones take no more memory", (t) => {
  const twin = new Twin();
  const keys = numbered(3 * 512);
  for (const each of keys) twin.insert(each);
  const before = twin.order.bytes;
  for (let round = 0; round < 100; round += 1) {
    for (const each of keys.slice(512, 1024)) twin.remove(each);
    for (const each of keys.slice(512, 1024)) twin.insert(each);
  }
  t.notThrows(() => twin.check(["key"]));
  t.is(twin.order.bytes, before);
});
