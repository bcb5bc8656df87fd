// Snapshots as they stream in, against a scripted server: whole, or an error, never cut short.

import { status } from "@grpc/grpc-js";
import test from "ava";
import { KvdClientError, type Snapshot } from "../../../client/index.js";
import { SnapshotResponse } from "../../../gen/grpc/kvd/v1/maintenance.js";
import { connectScript, refusal, type SnapshotCall, signalled, snapshotOf } from "./scripted.js";

const PIECES = [
  { revision: 7n, chunk: Uint8Array.of(1) },
  { chunk: Uint8Array.of(2) },
  { chunk: Uint8Array.of(3) },
];

async function bytesOf(snapshot: Snapshot): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of snapshot) bytes.push(...chunk);
  return bytes;
}

/** One piece, and then nothing until the client has enough. */
function unfinished() {
  const canceled = signalled();
  const snapshot = (call: SnapshotCall) => {
    call.on("cancelled", () => canceled.settle());
    call.write(SnapshotResponse.fromPartial(PIECES[0] ?? {}));
  };
  return { snapshot, canceled: canceled.happened };
}

test("a snapshot gives its chunks in order, and its revision before or after them", async (t) => {
  const kv = await connectScript(t, { maintenance: { snapshot: snapshotOf(PIECES) } });
  const snapshot = kv.maintenance.snapshot();
  t.is(await snapshot.revision, 7);
  t.deepEqual(await bytesOf(snapshot), [1, 2, 3]);
  t.is(await snapshot.revision, 7);
  t.throws(() => snapshot[Symbol.asyncIterator](), { instanceOf: TypeError });
});

test("a snapshot that breaks throws after what came, and is not begun anew", async (t) => {
  let calls = 0;
  const kv = await connectScript(t, {
    maintenance: {
      snapshot(call: SnapshotCall) {
        calls += 1;
        call.write(SnapshotResponse.fromPartial(PIECES[0] ?? {}), () =>
          call.emit("error", refusal(status.UNAVAILABLE, "SHUTTING_DOWN")),
        );
      },
    },
  });
  const snapshot = kv.maintenance.snapshot();
  t.is(await snapshot.revision, 7);
  const error = await t.throwsAsync(bytesOf(snapshot), { instanceOf: KvdClientError });
  t.is(error?.reason, "SHUTTING_DOWN");
  t.is(calls, 1);
});

test("a refusal reaches the revision and the iteration alike", async (t) => {
  const snapshot = (call: SnapshotCall) =>
    call.emit("error", refusal(status.RESOURCE_EXHAUSTED, "NO_SPACE"));
  const kv = await connectScript(t, { maintenance: { snapshot } });
  const refused = kv.maintenance.snapshot();
  const error = await t.throwsAsync(refused.revision, { instanceOf: KvdClientError });
  t.is(error?.reason, "NO_SPACE");
  t.is(await t.throwsAsync(bytesOf(refused)), error);
});

test("leaving the loop ends a snapshot on the server, quietly", async (t) => {
  const { snapshot, canceled } = unfinished();
  const kv = await connectScript(t, { maintenance: { snapshot } });
  for await (const chunk of kv.maintenance.snapshot()) {
    t.deepEqual([...chunk], [1]);
    break;
  }
  await canceled;
});

type Ending = (snapshot: Snapshot, controller: AbortController) => unknown;

const isTold = test.macro({
  async exec(t, end: Ending) {
    const { snapshot, canceled } = unfinished();
    const kv = await connectScript(t, { maintenance: { snapshot } });
    const controller = new AbortController();
    const open = kv.maintenance.snapshot({ signal: controller.signal });
    await open.revision;
    const outcome = t.throwsAsync(bytesOf(open), { instanceOf: KvdClientError });
    await end(open, controller);
    t.is((await outcome)?.code, "CANCELLED");
    await canceled;
    await kv.close();
  },
  title: (title) => `${title} ends a snapshot with an error, because it is not whole`,
});

test("close()", isTold, (snapshot) => snapshot.close());
test("disposing", isTold, (snapshot) => snapshot[Symbol.asyncDispose]());
test("the signal", isTold, (_, controller) => controller.abort());

test("a snapshot that nobody reads does not hold up the end of the client", async (t) => {
  const { snapshot, canceled } = unfinished();
  const kv = await connectScript(t, { maintenance: { snapshot } });
  const open = kv.maintenance.snapshot();
  await open.revision;
  await kv.close();
  await canceled;
  t.is((await t.throwsAsync<KvdClientError>(bytesOf(open)))?.code, "CANCELLED");
  t.throws(() => kv.maintenance.snapshot(), { instanceOf: KvdClientError });
});

test("a timeout bounds a snapshot; without one it takes its time", async (t) => {
  const { snapshot } = unfinished();
  const kv = await connectScript(t, { maintenance: { snapshot } });
  const late = bytesOf(kv.maintenance.snapshot({ timeout: "20ms" }));
  t.is((await t.throwsAsync<KvdClientError>(late))?.code, "DEADLINE_EXCEEDED");
});
