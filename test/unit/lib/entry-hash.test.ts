// The hash of entries: its bytes are those of docs/format.md.

import { createHash } from "node:crypto";
import test from "ava";
import { EntryHash } from "../../../server/lib/entry-hash.js";

const entry = {
  key: Buffer.from("kenya:capital"),
  value: Buffer.from("Nairobi"),
  createRevision: 2,
  modRevision: 3,
  version: 2,
  leaseId: -1n,
};

test("the hash is SHA-256 over a header and framed entries", (t) => {
  const hash = new EntryHash();
  hash.add(entry);
  const encoded = Buffer.concat([
    Buffer.from("kvd entries 1\n"),
    Buffer.from("0000000d00000007", "hex"),
    Buffer.from("000000000000000200000000000000030000000000000002ffffffffffffffff", "hex"),
    entry.key,
    entry.value,
  ]);
  t.deepEqual(Buffer.from(hash.digest()), createHash("sha256").update(encoded).digest());
});

test("where a key ends and its value begins changes the hash", (t) => {
  const hashes = [
    { ...entry, key: Buffer.from("ab"), value: Buffer.from("c") },
    { ...entry, key: Buffer.from("a"), value: Buffer.from("bc") },
  ].map((item) => {
    const hash = new EntryHash();
    hash.add(item);
    return Buffer.from(hash.digest()).toString("hex");
  });
  t.not(hashes[0], hashes[1]);
});
