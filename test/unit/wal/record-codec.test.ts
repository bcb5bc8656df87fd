// Records of the log as bytes: what is written comes back, and what is not a record is refused.

import test from "ava";
import fc from "fast-check";
import { viewedBytes, viewOf } from "../../../server/lib/viewed-bytes.js";
import type { LogRecord, ReplayedRecord } from "../../../server/store/backend.js";
import type { NewRow } from "../../../server/store/row-layout.js";
import { tombstone, type Version } from "../../../server/store/version.js";
import { frameAt, recordCrc } from "../../../server/wal/log-format.js";
import { RecordReader } from "../../../server/wal/record-reader.js";
import { RecordWriter, recordBytes } from "../../../server/wal/record-writer.js";
import { type KeyVersion, newRow, rowSpan } from "../../support/rows.js";

const REVISION = 2 ** 40 + 7;

const bytes = fc.uint8Array({ maxLength: 40 });
const key = fc.uint8Array({ minLength: 1, maxLength: 40 });
const leaseId = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

const change = fc
  .tuple(
    key,
    bytes,
    number,
    number,
    leaseId,
    fc.constantFrom("put", "deleted", "expired", "revoked"),
  )
  .map(([of, value, createRevision, version, lease, kind]) => (place: number): KeyVersion => {
    const put: Version = {
      revision: REVISION,
      place,
      createRevision,
      version,
      value,
      leaseId: lease,
      deleted: undefined,
    };
    return { key: of, version: kind === "put" ? put : tombstone(put, kind as "deleted") };
  });

const changes = fc.array(change, { maxLength: 5 }).map((all) => all.map((at, place) => at(place)));

interface Sample extends Omit<LogRecord, "changes"> {
  readonly changes: readonly KeyVersion[];
}

const record: fc.Arbitrary<Sample> = fc.record({
  revision: fc.constant(REVISION),
  timeMs: number,
  changes,
  granted: fc.array(fc.record({ id: leaseId, ttlMs: number, ofPut: fc.boolean() }), {
    maxLength: 3,
  }),
  renewed: fc.array(leaseId, { maxLength: 3 }),
  ended: fc.array(leaseId, { maxLength: 3 }),
  compactRevision: fc.option(number, { nil: undefined }),
});

const KEYS = { syncWord: 0x12345678, salt: 0x9abcdef0 };
const FRAME = { keys: KEYS, previousCrc: 0xdeadbeef, runningMs: 2 ** 45, unsynced: 123_456 };

const WRITER = new RecordWriter();

function encoded(sample: Sample, start = 0): Buffer {
  const of: LogRecord = { ...sample, changes: rowSpan(sample.changes) };
  const buffer = Buffer.alloc(start + recordBytes(of), 0xaa);
  WRITER.write(viewedBytes(buffer), start, of, FRAME);
  return buffer.subarray(start);
}

const plain = (of: Uint8Array) => Buffer.from(of).toString("hex");

test("what is written comes back, and takes as many bytes as it said", (t) => {
  fc.assert(
    fc.property(record, fc.constantFrom(0, 8, 64), (of, start) => {
      const buffer = encoded(of, start);
      const framed = frameAt(viewOf(buffer), 0, { left: buffer.length, keys: KEYS });
      t.is(framed.kind === "record" && framed.length, buffer.length);
      t.is(buffer.length % 8, 0);
      const back = decoded(buffer);
      const { changes, ...others } = of;
      t.like(back, { ...others, runningMs: FRAME.runningMs });
      t.is(back.changes.length, changes.length);
      for (const change of changes) t.deepEqual(shown(back.changes.next()), shown(newRow(change)));
    }),
  );
});

/** As a reader gives it that has read another record before. */
function decoded(bytes: Buffer): ReplayedRecord {
  const reader = new RecordReader();
  const other = encoded(ONE, 8);
  reader.read(viewedBytes(other), 0, other.length);
  const shifted = Buffer.concat([Buffer.alloc(8), bytes, Buffer.alloc(64, 0xff)]);
  return reader.read(viewedBytes(shifted), 8, bytes.length);
}

function shown({ key, keyStart, keyEnd, value, valueStart, valueEnd, view: _, ...others }: NewRow) {
  return {
    revision: others.revision,
    place: others.place,
    deleted: others.deleted,
    createRevision: others.createRevision,
    version: others.version,
    leaseId: others.leaseId,
    key: plain(key.subarray(keyStart, keyEnd)),
    value: plain(value.subarray(valueStart, valueEnd)),
  };
}

const ONE: Sample = {
  revision: 2,
  timeMs: 1,
  changes: [
    {
      key: Buffer.from("a"),
      version: {
        ...tombstone({ revision: 2, place: 0 }, "deleted"),
        createRevision: 2,
        version: 1,
        deleted: undefined,
      },
    },
  ],
  granted: [{ id: 7n, ttlMs: 1000, ofPut: false }],
  renewed: [7n],
  ended: [7n],
  compactRevision: 1,
};

test("no changed bit and no cut is taken for the record", (t) => {
  const buffer = encoded(ONE);
  for (let at = 0; at < buffer.length * 8; at += 1) {
    const changed = Buffer.from(buffer);
    changed[at >> 3] = (changed[at >> 3] as number) ^ (1 << (at & 7));
    t.not(
      frameAt(viewOf(changed), 0, { left: changed.length, keys: KEYS }).kind,
      "record",
      `bit ${at}`,
    );
  }
  for (let length = 0; length < buffer.length; length += 1) {
    t.is(
      frameAt(viewOf(buffer.subarray(0, length)), 0, { left: length, keys: KEYS }).kind,
      "none",
      `${length} bytes`,
    );
  }
});

test("with a CRC that fits, whatever could not have been written is refused", (t) => {
  const buffer = encoded(ONE);
  let refused = 0;
  fc.assert(
    fc.property(fc.integer({ min: 16, max: buffer.length - 1 }), fc.nat(255), (at, byte) => {
      const changed = Buffer.from(buffer);
      changed[at] = byte;
      changed.writeUInt32LE(
        recordCrc(viewOf(changed), 0, { length: changed.length, salt: KEYS.salt }),
        12,
      );
      try {
        decoded(changed);
      } catch (error) {
        t.true(error instanceof RangeError);
        refused += 1;
      }
    }),
    { numRuns: 3000 },
  );
  t.true(refused > 100);
});

test("a length that lies costs nothing: it is bounded by what is there", (t) => {
  const buffer = encoded(ONE);
  buffer.writeUInt32LE(0x3ffffff8, 4);
  t.is(frameAt(viewOf(buffer), 0, { left: buffer.length, keys: KEYS }).kind, "none");
  t.is(frameAt(viewOf(buffer), 0, { left: 2 ** 31, keys: KEYS }).kind, "short");
});

test("with other keys than those of its segment it is no record: values cannot feign one", (t) => {
  const buffer = encoded(ONE);
  for (const other of [{ syncWord: KEYS.syncWord ^ 1 }, { salt: KEYS.salt ^ 1 }]) {
    const keys = { ...KEYS, ...other };
    t.is(frameAt(viewOf(buffer), 0, { left: buffer.length, keys }).kind, "none");
  }
});
