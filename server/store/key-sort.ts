// Sorts ids by the bytes of their keys, for many at once: four bytes of each key at a time, with
// the numbers of their places below them, are one double, and the engine sorts doubles by itself.
// Keys that are alike there are sorted by their next four bytes, and few by comparing them.

import type { KeyBytes } from "./key-bytes.js";

/** A double holds a word of 32 bits above a place of 20. */
const PLACES = 2 ** 20;

/** So few are compared with each other. */
const FEW = 24;

export interface SortableKeys extends KeyBytes {
  /** Below, equal to or above 0, as the one key is below, equal to or above the other. */
  compareIds(left: number, right: number): number;
}

/**
 * Sorts runs of up to a million ids, each for itself; `offset`: what all keys begin with alike. How
 * long the first run is.
 */
export function sortInRuns(keys: SortableKeys, ids: Uint32Array, offset: number): number {
  const places = new Float64Array(Math.min(PLACES, ids.length));
  for (let start = 0; start < ids.length; start += PLACES) {
    sort({ keys, ids: ids.subarray(start, start + PLACES), places }, offset);
  }
  return places.length;
}

interface Run {
  readonly keys: SortableKeys;
  readonly ids: Uint32Array;
  /** Room for as many. */
  readonly places: Float64Array;
}

function sort({ keys, ids, places }: Run, offset: number): void {
  const own = places.subarray(0, ids.length);
  const before = ids.slice();
  for (let at = 0; at < ids.length; at += 1) {
    own[at] = keys.wordAt(before[at] as number, offset) * PLACES + at;
  }
  own.sort();
  const words = new Uint32Array(ids.length);
  for (let at = 0; at < ids.length; at += 1) {
    const place = own[at] as number;
    words[at] = Math.floor(place / PLACES);
    ids[at] = before[place % PLACES] as number;
  }
  for (let start = 0; start < ids.length; ) {
    let end = start + 1;
    while (end < ids.length && words[end] === words[start]) end += 1;
    const alike = ids.subarray(start, end);
    // Zeros may be of keys that have ended: their lengths decide then.
    if (alike.length > FEW && words[start] !== 0) sort({ keys, ids: alike, places }, offset + 4);
    else if (alike.length > 1) alike.sort((left, right) => keys.compareIds(left, right));
    start = end;
  }
}
