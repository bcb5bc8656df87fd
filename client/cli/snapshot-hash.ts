// The SHA-256 that a snapshot ends with, over all before it (docs/format.md): the one that
// `kvd snapshot status` shows too. What arrives is checked by it.

import { createHash } from "node:crypto";

const HASH_BYTES = 32;

export class SnapshotHash {
  readonly #hash = createHash("sha256");
  /** The last bytes so far: they may be the hash. */
  #tail: Uint8Array = new Uint8Array(0);

  add(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#tail, chunk]);
    const end = Math.max(0, bytes.length - HASH_BYTES);
    this.#hash.update(bytes.subarray(0, end));
    this.#tail = bytes.subarray(end);
  }

  /** As hex digits; undefined when the bytes are not what they say they are. Once, at the end. */
  end(): string | undefined {
    const digest = this.#hash.digest();
    return digest.equals(this.#tail) ? digest.toString("hex") : undefined;
  }
}
