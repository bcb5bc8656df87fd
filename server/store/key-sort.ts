// Sorts ids by the bytes of their keys, for many at once: five bytes and a half of a key and the
// number of its place below them are a word of 64 bits, and the engine sorts those by itself. Keys
// that are alike there are sorted by what follows, and few by comparing them.

import type { KeyBytes } from "./key-bytes.js";

/** A word has 44 bits of a key above a place of 20. */
const PLACE_BITS = 20;
const PLACES = 2 ** PLACE_BITS;
const WHOLE_BYTES = 5;

/** So few are compared with each other. */
const FEW = 16;

export interface SortableKeys extends KeyBytes {
  /** Below, equal to or above 0, as the one key is below, equal to or above the other. */
  compareIds(left: number, right: number): number;
}

/** Ids from `start` up to `end` whose keys begin with the same bytes, `offset` of them or more. */
interface Alike {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

/**
 * Sorts runs of up to a million ids, each for itself; `offset`: what all keys begin with alike. How
 * long the first run is.
 */
export function sortInRuns(keys: SortableKeys, ids: Uint32Array, offset: number): number {
  const left: Alike[] = [];
  for (let start = 0; start < ids.length; start += PLACES) {
    left.push({ start, end: Math.min(start + PLACES, ids.length), offset });
    // A list and no recursion: keys can be alike in more words than the stack has room for.
    for (let next = left.pop(); next !== undefined; next = left.pop()) sort(keys, ids, next, left);
  }
  return Math.min(PLACES, ids.length);
}

/** What is alike in its word, and not few, is added to `left`. */
function sort(keys: SortableKeys, all: Uint32Array, run: Alike, left: Alike[]): void {
  const ids = all.subarray(run.start, run.end);
  const { offset } = run;
  const before = ids.slice();
  const words = new BigUint64Array(ids.length);
  // Their halves, the lower one first: so no word is ever a bigint.
  const halves = new Uint32Array(words.buffer);
  for (let at = 0; at < ids.length; at += 1) {
    const id = before[at] as number;
    const next = keys.wordAt(id, offset + 4) >>> PLACE_BITS;
    halves[2 * at] = next * PLACES + at;
    halves[2 * at + 1] = keys.wordAt(id, offset);
  }
  words.sort();
  for (let at = 0; at < ids.length; at += 1) {
    ids[at] = before[(halves[2 * at] as number) % PLACES] as number;
  }
  for (let start = 0; start < ids.length; ) {
    const next = (halves[2 * start] as number) >>> PLACE_BITS;
    const word = halves[2 * start + 1] as number;
    let end = start + 1;
    while (halves[2 * end + 1] === word && (halves[2 * end] as number) >>> PLACE_BITS === next) {
      end += 1;
    }
    if (end - start <= FEW) insertionSort(keys, ids, start, end);
    else if (word !== 0) {
      const shared = sharedByAll(keys, ids.subarray(start, end), offset + WHOLE_BYTES);
      left.push({ start: run.start + start, end: run.start + end, offset: shared });
      // Zeros may be of keys that have ended: their lengths decide then.
    } else ids.subarray(start, end).sort((left, right) => keys.compareIds(left, right));
    start = end;
  }
}

/** How many bytes keys begin with alike, who are so in `known` bytes but for zeros at the end. */
function sharedByAll(keys: SortableKeys, ids: Uint32Array, known: number): number {
  const first = ids[0] as number;
  let shared = keys.sharedPrefix(first, ids[ids.length - 1] as number);
  for (let at = 1; at < ids.length && shared > known; at += 1) {
    shared = Math.min(shared, keys.sharedPrefix(first, ids[at] as number));
  }
  return Math.max(shared, known);
}

function insertionSort(keys: SortableKeys, ids: Uint32Array, start: number, end: number): void {
  for (let next = start + 1; next < end; next += 1) {
    const id = ids[next] as number;
    let at = next;
    for (; at > start && keys.compareIds(ids[at - 1] as number, id) > 0; at -= 1) {
      ids[at] = ids[at - 1] as number;
    }
    ids[at] = id;
  }
}
