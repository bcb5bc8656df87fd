// The hash of a store's entries, as docs/format.md defines it: SHA-256 over the entries in key
// order, each framed by the lengths of its parts, so that no two stores share an encoding.

import { createHash } from "node:crypto";

/** Shaped as kv's Entry. */
interface HashedEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly leaseId: bigint;
}

const HEADER = "kvd entries 1\n";

export class EntryHash {
  readonly #hash = createHash("sha256").update(HEADER, "latin1");
  readonly #frame = Buffer.alloc(40);

  /** Entries come in key order. */
  add(entry: HashedEntry): void {
    const frame = this.#frame;
    frame.writeUInt32BE(entry.key.length, 0);
    frame.writeUInt32BE(entry.value.length, 4);
    frame.writeBigInt64BE(BigInt(entry.createRevision), 8);
    frame.writeBigInt64BE(BigInt(entry.modRevision), 16);
    frame.writeBigInt64BE(BigInt(entry.version), 24);
    frame.writeBigInt64BE(entry.leaseId, 32);
    this.#hash.update(frame).update(entry.key).update(entry.value);
  }

  /** 32 bytes; nothing can be added after it. */
  digest(): Uint8Array {
    return this.#hash.digest();
  }
}
