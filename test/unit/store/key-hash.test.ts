// The hash of keys against a Map, with true hashes and with ones that collide.

import test from "ava";
import fc from "fast-check";
import { KeyHash } from "../../../server/store/key-hash.js";
import { ListedKeys } from "../../support/listed-keys.js";

/** An id of no key. */
const NOBODY = 0xffffffff;

/** A KeyHash beside a Map; `spoil` makes of a hash a worse one. */
class Twin {
  readonly keys = new ListedKeys();
  readonly hash = new KeyHash({ keys: this.keys, seed: [0x01234567, 0x89abcdef] });
  readonly ids = new Map<string, number>();
  readonly #spoil: (hash: number) => number;

  constructor(spoil: (hash: number) => number = (hash) => hash) {
    this.#spoil = spoil;
  }

  add(key: string): void {
    if (this.find(key) !== 0) return;
    const id = this.keys.list(Buffer.from(key));
    this.hash.add(this.#hashOf(key), id);
    this.ids.set(key, id);
  }

  remove(key: string): void {
    const id = this.ids.get(key);
    if (this.hash.remove(this.#hashOf(key), id ?? NOBODY) !== this.ids.delete(key)) {
      throw new Error("the hash and the map disagree on what is there");
    }
  }

  find(key: string): number {
    const bytes = Buffer.from(`<${key}>`);
    const id = this.hash.find(this.#hashOf(key), bytes, 1, bytes.length - 1);
    if (id !== (this.ids.get(key) ?? 0)) throw new Error(`found ${id} for ${key}`);
    return id;
  }

  check(): void {
    this.hash.check();
    if (this.hash.size !== this.ids.size) throw new Error("the size is wrong");
    for (const key of this.ids.keys()) this.find(key);
  }

  #hashOf(key: string): number {
    const bytes = Buffer.from(`<${key}>`);
    return this.#spoil(this.hash.hash(bytes, 1, bytes.length - 1));
  }
}

const act = fc.record({ from: fc.nat(8000), count: fc.nat(3000), removes: fc.boolean() });

const likeMap = test.macro({
  exec(t, spoil: (hash: number) => number, runs: number, scale: number) {
    const property = fc.property(fc.array(act, { minLength: 1, maxLength: 12 }), (acts) => {
      const twin = new Twin(spoil);
      for (const { from, count, removes } of acts) {
        const last = Math.floor((from + count) / scale);
        for (let index = Math.floor(from / scale); index < last; index += 1) {
          if (removes) twin.remove(`k${index}`);
          else twin.add(`k${index}`);
          twin.find(`k${index + 1}`);
        }
      }
      twin.check();
    });
    t.notThrows(() => fc.assert(property, { numRuns: runs }));
  },
  title: (given) => `keys are found by their bytes ${given}`,
});

test("with hashes as they are", likeMap, (hash) => hash, 40, 1);
test("with hashes that are all the same", likeMap, () => -7, 20, 20);
test("with hashes of three bits", likeMap, (hash) => hash & 0x80010001, 20, 10);
test("with hashes whose low bits are the same", likeMap, (hash) => hash & -65536, 20, 1);

test("buckets split, and join again when few keys are left", (t) => {
  const twin = new Twin();
  for (let index = 0; index < 60_000; index += 1) twin.add(`key ${index}`);
  t.notThrows(() => twin.check());
  for (let index = 0; index < 59_000; index += 1) twin.remove(`key ${index}`);
  t.notThrows(() => twin.check());
  for (let index = 59_000; index < 60_000; index += 1) twin.remove(`key ${index}`);
  t.notThrows(() => twin.check());
  t.is(twin.hash.size, 0);
});

test("ever new keys that come and go take no more memory than there was", (t) => {
  const twin = new Twin();
  for (let index = 0; index < 8000; index += 1) twin.add(`key ${index}`);
  const before = twin.hash.bytes;
  for (let index = 8000; index < 200_000; index += 1) {
    twin.remove(`key ${index - 8000}`);
    twin.add(`key ${index}`);
  }
  t.notThrows(() => twin.check());
  t.true(twin.hash.bytes <= before * 1.3, `${before} bytes, then ${twin.hash.bytes}`);
});

test("more keys of one hash than a bucket has slots are all found", (t) => {
  const twin = new Twin(() => 5);
  const { keys, hash } = twin;
  for (let index = 0; index < 6000; index += 1) hash.add(5, keys.list(Buffer.from(`k${index}`)));
  t.notThrows(() => hash.check());
  t.is(hash.find(5, Buffer.from("k5999"), 0, 5), 6000);
});
