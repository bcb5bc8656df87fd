// Calls of one answer: their answer and status reach the transport together.

import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { systemClock } from "../../../server/lib/clock.js";
import { serveCalls } from "../../support/grpc-service.js";

const PATH = "/test.Echo/Once";

const same = (bytes: Buffer) => bytes;

/** Serves one method, and gives what a call of it is answered. */
async function serve(t: ExecutionContext, serialize: (bytes: Buffer) => Buffer) {
  const once = {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: serialize,
    responseDeserialize: same,
  };
  const handlers = {
    once: (call: { request: Buffer }, answer: (error: null, bytes: Buffer) => void) =>
      answer(null, call.request),
  };
  const service = { definition: { once }, handlers };
  const { address, calls } = await serveCalls(t, [service]);
  const { timer } = calls;
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
  });
  t.teardown(() => client.close());
  const call = (bytes: Buffer) =>
    new Promise<Buffer | number>((resolve) => {
      client.makeUnaryRequest(PATH, same, same, bytes, (error: ServiceError | null, answer) =>
        resolve(error === null ? (answer as Buffer) : error.code),
      );
    });
  return { timer, call };
}

test("an answer larger than any window comes whole, and then nothing is timed", async (t) => {
  const { timer, call } = await serve(t, same);
  const bytes = Buffer.alloc(3 * 1024 * 1024, 7);
  t.deepEqual(await call(bytes), bytes);
  while (timer.answering + timer.size > 0) await systemClock.yieldTurn();
  t.pass();
});

test("an answer that cannot be encoded is one INTERNAL, and the server goes on", async (t) => {
  const { call } = await serve(t, (bytes) => {
    if (bytes.length === 1) throw new Error("no such answer");
    return bytes;
  });
  t.is(await call(Buffer.from("x")), status.INTERNAL);
  t.deepEqual(await call(Buffer.from("xy")), Buffer.from("xy"));
});
