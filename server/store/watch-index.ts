// Which watches a change may concern: those of its key and of its prefixes by lookup, and those of
// other ranges one by one. So a commit costs what its matching watches cost, a few lookups, and the
// watches of ranges that are neither.

import { prefixEnd } from "../kv/selector.js";
import { bytesFromLatin1, latin1FromBytes } from "../lib/bytes.js";
import type { Commit } from "./commit.js";
import type { TextBounds } from "./text-bounds.js";
import type { Watch } from "./watch.js";

export class WatchIndex {
  /** By key, and by prefix. */
  readonly #ofKeys = new Map<string, Set<Watch>>();
  readonly #ofPrefixes = new Map<string, Set<Watch>>();
  /** How many prefixes there are of each length. */
  readonly #prefixLengths = new Map<number, number>();
  readonly #ofRanges = new Set<Watch>();

  add(watch: Watch): void {
    const { start } = watch.bounds;
    switch (kindOf(watch.bounds)) {
      case "key":
        addTo(this.#ofKeys, start, watch);
        return;
      case "prefix":
        if (addTo(this.#ofPrefixes, start, watch)) this.#countLength(start.length, 1);
        return;
      case "range":
        this.#ofRanges.add(watch);
    }
  }

  delete(watch: Watch): void {
    const { start } = watch.bounds;
    switch (kindOf(watch.bounds)) {
      case "key":
        deleteFrom(this.#ofKeys, start, watch);
        return;
      case "prefix":
        if (deleteFrom(this.#ofPrefixes, start, watch)) this.#countLength(start.length, -1);
        return;
      case "range":
        this.#ofRanges.delete(watch);
    }
  }

  /** Calls with each watch that a commit may concern, once. */
  each(commit: Commit, visit: (watch: Watch) => void): void {
    for (const watch of this.#ofRanges) visit(watch);
    if (this.#ofKeys.size === 0 && this.#ofPrefixes.size === 0) return;
    // A watch of a prefix can be met by several changes.
    const visited = commit.length > 1 ? new Set<Watch>() : undefined;
    for (let place = 0; place < commit.length; place += 1) {
      const { text } = commit.at(place);
      for (const watch of this.#ofKeys.get(text) ?? []) visit(watch);
      for (const length of this.#prefixLengths.keys()) {
        if (text.length < length) continue;
        for (const watch of this.#ofPrefixes.get(text.slice(0, length)) ?? []) {
          if (visited?.has(watch)) continue;
          visited?.add(watch);
          visit(watch);
        }
      }
    }
  }

  #countLength(length: number, change: 1 | -1): void {
    const count = (this.#prefixLengths.get(length) ?? 0) + change;
    if (count === 0) this.#prefixLengths.delete(length);
    else this.#prefixLengths.set(length, count);
  }
}

/** By the bounds: other surfaces say prefixes and keys as ranges. */
function kindOf({ start, end }: TextBounds): "key" | "prefix" | "range" {
  if (start === "" || end === undefined) return "range";
  if (end === `${start}\0`) return "key";
  const prefixBound = prefixEnd(bytesFromLatin1(start));
  return prefixBound !== undefined && latin1FromBytes(prefixBound) === end ? "prefix" : "range";
}

/** True when it is the first of its text. */
function addTo(map: Map<string, Set<Watch>>, text: string, watch: Watch): boolean {
  const others = map.get(text);
  if (others !== undefined) {
    others.add(watch);
    return false;
  }
  map.set(text, new Set([watch]));
  return true;
}

/** True when it was the last of its text. */
function deleteFrom(map: Map<string, Set<Watch>>, text: string, watch: Watch): boolean {
  const others = map.get(text);
  others?.delete(watch);
  return others?.size === 0 && map.delete(text);
}
