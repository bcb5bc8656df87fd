// A snapshot for etcd's clients: the bytes of kvd's own, as docs/format.md has them, with the end
// by which those clients know that nothing is missing. `kvd restore` takes it as it is; etcd does
// not.

import { createHash } from "node:crypto";
import type { SnapshotResponse } from "../../gen/grpc/etcd/rpc.js";
import type { ByteSource } from "../grpc/byte-stream.js";
import type { Engine } from "../kv/engine.js";
import { paddingBehind, SEAL_HASH_BYTES } from "../lib/sealed-bytes.js";
import { ETCD_VERSION, type Identity } from "./identity.js";

export async function openSnapshot(
  engine: Engine,
  identity: Identity,
): Promise<ByteSource<SnapshotResponse>> {
  const snapshot = await engine.snapshot();
  const header = identity.header(snapshot.revision);
  const hash = createHash("sha256");
  let length = 0;
  /** Of the end: how much of it is not given yet. */
  let left = SEAL_HASH_BYTES;
  return {
    async next() {
      if (left === 0) return undefined;
      const bytes = await snapshot.next();
      if (bytes !== undefined) {
        hash.update(bytes);
        length += bytes.length;
        return bytes;
      }
      left = 0;
      const padding = Buffer.alloc(paddingBehind(length));
      return Buffer.concat([padding, hash.update(padding).digest()]);
    },
    // What the store still has to say is not known before it is said: what is known to come, then.
    message: (blob, ofSame) => {
      return { header, remainingBytes: BigInt(ofSame + left), blob, version: ETCD_VERSION };
    },
    close: () => snapshot.close(),
  };
}
