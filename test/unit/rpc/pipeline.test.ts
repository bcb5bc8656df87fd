// Pipelines whose answers are many or large: each request has its answer, and then the call ends.

import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { type BatchOperation, PipelineResponse } from "../../../gen/grpc/kvd/v1/kv.js";
import { errorInfoOf, logStream } from "../../support/grpc-service.js";
import { putRequest, serveKvd } from "../../support/kvd-server.js";
import { rawBidiStream } from "../../support/raw-call.js";
import { concat, field, varintField } from "../../support/wire.js";

const MIB = 1024 * 1024;

/** Sends so many requests at once, ends, and takes the answers: their ids. */
async function idsOf(
  t: ExecutionContext,
  count: number,
  operation: BatchOperation["operation"],
  value: Uint8Array,
): Promise<readonly bigint[]> {
  const { client, put } = await serveKvd(t);
  await put("large", value);
  const call = client.pipeline();
  t.teardown(() => call.cancel());
  call.pause();
  for (let id = 1; id <= count; id += 1) {
    call.write({ id: BigInt(id), operations: [{ operation }] });
  }
  call.end();
  const log = logStream<PipelineResponse>(call);
  call.resume();
  t.is((await log.status).code, 0);
  return log.messages.map(({ id }) => id).sort((left, right) => (left < right ? -1 : 1));
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => BigInt(index + 1));

test("large answers all come", async (t) => {
  const get = { keyForm: { $case: "key", value: "large" } as const, revision: 0n };
  const ids = await idsOf(t, 60, { $case: "get", value: get }, Buffer.alloc(MIB));
  t.deepEqual(ids, upTo(60));
});

test("many small answers all come", async (t) => {
  const ids = await idsOf(t, 3000, { $case: "put", value: putRequest("a", "1") }, Buffer.alloc(1));
  t.deepEqual(ids, upTo(3000));
});

test("a message that is none ends the call after the answers before it", async (t) => {
  const { client, engine } = await serveKvd(t);
  const put = (id: number, key: string) =>
    concat(varintField(1, id), field(2, field(2, concat(field(1, key), field(3, "v")))));
  const notUtf8 = field(2, field(1, field(1, Uint8Array.of(0xff))));
  // Sent together: the server may have all three before it answers.
  const frames = [put(1, "before"), notUtf8, put(2, "after")];
  const { outcome } = rawBidiStream(client, "/kvd.v1.KvService/Pipeline", frames);
  const { code, reason, answers } = await outcome;
  t.deepEqual([code, reason], [status.INVALID_ARGUMENT, "MALFORMED"]);
  t.deepEqual(
    answers.map((bytes) => PipelineResponse.decode(bytes).id),
    [1n],
  );
  t.is(engine.revision, 2);
});

test("the error that ends a pipeline says how many requests were begun", async (t) => {
  const { client } = await serveKvd(t, { limits: { batchMaxOperations: 1 } });
  const call = client.pipeline();
  t.teardown(() => call.cancel());
  const log = logStream<PipelineResponse>(call);
  const operation = { $case: "put", value: putRequest("a", "1") } as const;
  for (const [index, count] of [1, 1, 2, 1].entries()) {
    const operations = Array.from({ length: count }, () => ({ operation }));
    call.write({ id: BigInt(index), operations });
  }
  const status = await log.status;
  const info = errorInfoOf(status);
  t.is(info?.reason, "TOO_MANY_OPERATIONS");
  t.deepEqual(info?.metadata, { requests_begun: "2" });
});
