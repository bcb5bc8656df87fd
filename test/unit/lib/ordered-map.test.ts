// Walks of the ordered map, in both directions, from keys that are there and from others.

import test from "ava";
import { OrderedMap, type Walk } from "../../../server/lib/ordered-map.js";

function mapOf(...keys: string[]): OrderedMap<string, number> {
  const map = new OrderedMap<string, number>();
  for (const [index, key] of keys.entries()) map.set(key, index);
  return map;
}

function keysOf(walk: Walk<string, number>): string[] {
  const keys: string[] = [];
  for (let step = walk.next(); step !== undefined; step = walk.next()) keys.push(step[0]);
  return keys;
}

test("an ascending walk begins at the first key that is not below", (t) => {
  const map = mapOf("b", "d", "a\0", "a");
  t.deepEqual(keysOf(map.ascend(undefined)), ["a", "a\0", "b", "d"]);
  t.deepEqual(keysOf(map.ascend("")), ["a", "a\0", "b", "d"]);
  t.deepEqual(keysOf(map.ascend("a\0")), ["a\0", "b", "d"]);
  t.deepEqual(keysOf(map.ascend("c")), ["d"]);
  t.deepEqual(keysOf(map.ascend("e")), []);
});

test("a descending walk begins at the last key that is below", (t) => {
  const map = mapOf("b", "d", "a\0", "a");
  t.deepEqual(keysOf(map.descend(undefined)), ["d", "b", "a\0", "a"]);
  t.deepEqual(keysOf(map.descend("d")), ["b", "a\0", "a"]);
  t.deepEqual(keysOf(map.descend("c")), ["b", "a\0", "a"]);
  t.deepEqual(keysOf(map.descend("a")), []);
  t.deepEqual(keysOf(map.descend("")), []);
});

test("an empty map has nothing to walk", (t) => {
  const map = mapOf();
  t.deepEqual(keysOf(map.ascend(undefined)), []);
  t.deepEqual(keysOf(map.descend(undefined)), []);
  t.deepEqual(keysOf(map.descend("x")), []);
});

test("bytes above 0x7f sort above those below, as latin1", (t) => {
  t.deepEqual(keysOf(mapOf("\xff", "a", "\x80", "\0").ascend(undefined)), [
    "\0",
    "a",
    "\x80",
    "\xff",
  ]);
});
