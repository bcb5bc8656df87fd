// Selectors: the keys that a command is about, and the bounds that they mean.

/** One key, all that start with a prefix, a half-open interval [start, end), or all. */
export type Selector =
  | { readonly kind: "key"; readonly key: Uint8Array }
  | { readonly kind: "prefix"; readonly prefix: Uint8Array }
  | {
      readonly kind: "interval";
      /** Undefined: from the first key. */
      readonly start: Uint8Array | undefined;
      /** Undefined: past the last key. */
      readonly end: Uint8Array | undefined;
    }
  | { readonly kind: "all" };

/** A half-open range of keys; without end it reaches past the last key. */
export interface Bounds {
  readonly start: Uint8Array;
  readonly end: Uint8Array | undefined;
}

const EMPTY = new Uint8Array(0);

/** The keys of a selector as one range. start >= end selects nothing. */
export function boundsOfSelector(selector: Selector): Bounds {
  switch (selector.kind) {
    case "key":
      return { start: selector.key, end: keyAfter(selector.key) };
    case "prefix":
      return { start: selector.prefix, end: prefixEnd(selector.prefix) };
    case "interval":
      return { start: selector.start ?? EMPTY, end: selector.end };
    case "all":
      return { start: EMPTY, end: undefined };
  }
}

/** The text after which a delimiter folds: the prefix, or nothing. */
export function foldedPrefixOfSelector(selector: Selector): Uint8Array {
  return selector.kind === "prefix" ? selector.prefix : EMPTY;
}

/** The lowest key above `key`: one zero byte more. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/**
 * The lowest key that is above every key with this prefix: trailing 0xff bytes dropped, the last
 * byte that remains plus one. Undefined when none remains: there is no such key.
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return undefined;
  const end = new Uint8Array(prefix.subarray(0, length));
  end[length - 1] = (end[length - 1] ?? 0) + 1;
  return end;
}
