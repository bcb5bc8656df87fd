// Bytes that a store has given out, with what they were: views of its memory, of which nothing may
// change as long as somebody has them.

import assert from "node:assert/strict";
import type { Entry } from "../../server/kv/types.js";

export class GivenBytes {
  readonly #given: { readonly bytes: Uint8Array; readonly was: Buffer }[] = [];

  get size(): number {
    return this.#given.length;
  }

  add(bytes: Uint8Array): void {
    this.#given.push({ bytes, was: Buffer.from(bytes) });
  }

  addEntry(entry: Entry | undefined): void {
    if (entry === undefined) return;
    this.add(entry.key);
    this.add(entry.value);
  }

  check(): void {
    for (const { bytes, was } of this.#given) assert.ok(was.equals(bytes), "given bytes changed");
  }
}
