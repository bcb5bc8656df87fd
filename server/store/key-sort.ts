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

/**
 * Sorts runs of up to a million ids, each for itself; `offset`: what all keys begin with alike. How
 * long the first run is.
 */
export function sortInRuns(keys: SortableKeys, ids: Uint32Array, offset: number): number {
  for (let start = 0; start < ids.length; start += PLACES) {
    sort(keys, ids.subarray(start, start + PLACES), offset);
  }
  return Math.min(PLACES, ids.length);
}

function sort(keys: SortableKeys, ids: Uint32Array, offset: number): void {
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
    // Zeros may be of keys that have ended: their lengths decide then.
    else if (word !== 0) sort(keys, ids.subarray(start, end), offset + WHOLE_BYTES);
    else ids.subarray(start, end).sort((left, right) => keys.compareIds(left, right));
    start = end;
  }
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
