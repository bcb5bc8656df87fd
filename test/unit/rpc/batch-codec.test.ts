// What the bytes of an answer hold of memory, while it waits to be sent.

import test from "ava";
import { BatchRequest } from "../../../gen/grpc/kvd/v1/kv.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { BatchCodec } from "../../../server/rpc/batch-codec.js";
import { BATCH_SHAPE } from "../../../server/rpc/batch-shape.js";
import { put } from "../../support/commands.js";
import { openMemoryFor } from "../../support/engines.js";

const MIB = 1024 * 1024;

function getOf(key: string): Uint8Array {
  const value = { keyForm: { $case: "key" as const, value: key }, revision: 0n };
  const operation = { operation: { $case: "get" as const, value } };
  return BatchRequest.encode({ operations: [operation] }).finish();
}

test("a small answer that follows a large one does not hold as much", async (t) => {
  const engine = await openMemoryFor(t);
  await engine.put(put("large", Buffer.alloc(MIB)));
  await engine.put(put("small", "1"));
  const codec = new BatchCodec(engine, BATCH_SHAPE, defaultLimits());
  const large = await codec.answer(getOf("large"));
  t.true(large.length > MIB);
  const small = await codec.answer(getOf("small"));
  t.true(small.buffer.byteLength < MIB / 8);
  t.deepEqual(small, await codec.answerByMessages(getOf("small")));
});
