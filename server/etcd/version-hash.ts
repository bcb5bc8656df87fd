// The checksum by which etcd's members compare what they hold, bit for bit: CRC-32C over the name
// of a bucket, then over each change that is kept, as etcd's file has it.

import { KeyValue } from "../../gen/grpc/etcd/kv.js";
import type { VersionWalk } from "../kv/engine.js";
import type { VersionRow } from "../kv/types.js";
import { crc32c } from "../lib/crc32c.js";
import { viewOf } from "../lib/viewed-bytes.js";
import { keyValue } from "./messages.js";

const BUCKET = Buffer.from("key");

/** Revision and place, 8 bytes each, with a `_` between; a `t` behind them marks a delete. */
const PLACE_BYTES = 17;
const PLACE_AT = 9;
const DELETED = Buffer.from("t");

/** The checksum of nothing. */
export const EMPTY_HASH = crcOf(BUCKET, 0);

/**
 * Reads the walk to its end.
 *
 * Of the entries as of the compact revision etcd counts those alone that nothing has replaced
 * since, but all of them where no key is left: so there are two checksums on the way.
 */
export async function hashOfVersions(walk: VersionWalk): Promise<number> {
  let ofAll = EMPTY_HASH;
  let ofKept = EMPTY_HASH;
  let anyLeft = false;
  const head = Buffer.alloc(PLACE_BYTES, "_");
  for (let rows = await walk.next(); rows !== undefined; rows = await walk.next()) {
    for (const row of rows) {
      anyLeft ||= row.newest && row.entry !== undefined;
      const isKept = row.newest || row.revision > walk.compactRevision;
      const isSame = ofAll === ofKept;
      const before = ofAll;
      ofAll = crcOfRow(row, head, before);
      if (isKept) ofKept = isSame ? ofAll : crcOfRow(row, head, ofKept);
    }
  }
  return anyLeft ? ofKept : ofAll;
}

function crcOfRow(row: VersionRow, head: Buffer, before: number): number {
  head.writeBigUInt64BE(BigInt(row.revision), 0);
  head.writeBigUInt64BE(BigInt(row.place), PLACE_AT);
  const placed = crcOf(head, before);
  const { entry, key } = row;
  if (entry !== undefined) return crcOf(KeyValue.encode(keyValue(entry)).finish(), placed);
  return crcOf(KeyValue.encode(KeyValue.create({ key })).finish(), crcOf(DELETED, placed));
}

function crcOf(bytes: Uint8Array, before: number): number {
  return crc32c(viewOf(bytes), 0, bytes.length, before);
}
