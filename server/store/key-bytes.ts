// What the indexes over keys (KeyHash, KeyOrder) ask about the bytes of a key, whose id is all that
// they keep. An answer may cost two cache misses when there are many keys, so they ask as seldom as
// they can. Ids are dense whole numbers from 1 to 2^32 - 1; 0 is no key.

/** The bytes of keys, by their ids. */
export interface KeyBytes {
  /** Is bytes[start, end) this key? */
  isKey(id: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** Below, equal to or above 0, as the key is below, equal to or above bytes[start, end). */
  compareTo(id: number, bytes: Uint8Array, start: number, end: number): number;
  /** Four bytes of the key from `offset` on, big-endian, zeros where it ends: 0 to 2^32 - 1. */
  wordAt(id: number, offset: number): number;
  /** How many bytes two keys begin with alike. */
  sharedPrefix(left: number, right: number): number;
  /** The first `length` bytes as latin1 text, or the whole key if it is shorter. */
  head(id: number, length: number): string;
}
