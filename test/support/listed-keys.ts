// KeyBytes over a list of Buffers: the id of a key is its place in the list, from 1 on.

import type { KeyBytes } from "../../server/store/key-bytes.js";

export class ListedKeys implements KeyBytes {
  readonly #keys: Buffer[] = [];

  /** The id of a key that is listed from now on. */
  list(key: Uint8Array): number {
    return this.#keys.push(Buffer.from(key));
  }

  keyOf(id: number): Buffer {
    return this.#keys[id - 1] as Buffer;
  }

  isKey(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.keyOf(id).equals(bytes.subarray(start, end));
  }

  compareTo(id: number, bytes: Uint8Array, start: number, end: number): number {
    return this.keyOf(id).compare(bytes.subarray(start, end));
  }

  wordAt(id: number, offset: number): number {
    const word = Buffer.alloc(4);
    this.keyOf(id).copy(word, 0, Math.min(offset, this.keyOf(id).length));
    return word.readUInt32BE(0);
  }

  sharedPrefix(left: number, right: number): number {
    const [one, other] = [this.keyOf(left), this.keyOf(right)];
    let same = 0;
    while (same < one.length && one[same] === other[same]) same += 1;
    return same;
  }

  head(id: number, length: number): string {
    return this.keyOf(id).toString("latin1", 0, Math.min(length, this.keyOf(id).length));
  }
}
