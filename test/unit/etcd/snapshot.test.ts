// A snapshot for etcd's clients: kvd's own bytes, sealed as those clients check it.

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
  MaintenanceClient,
  SnapshotRequest,
  type SnapshotResponse,
} from "../../../gen/grpc/etcd/rpc.js";
import { checkSnapshot, restoreSnapshot } from "../../../server/engines/restore.js";
import { defaultLimits } from "../../../server/kv/limits.js";
import { DataError } from "../../../server/wal/data-error.js";
import { put } from "../../support/commands.js";
import { serveEtcd } from "../../support/etcd/served-etcd.js";
import { connectClient } from "../../support/grpc-service.js";
import { ManualClock } from "../../support/manual-clock.js";
import { temporaryFolder } from "../../support/process.js";
import { snapshotOf } from "../../support/snapshot.js";

/** Not compressible, so that it takes several blocks and messages. */
function noise(bytes: number): Uint8Array {
  const blocks = Array.from({ length: bytes / 32 }, (_, index) =>
    createHash("sha256").update(`${index}`).digest(),
  );
  return Buffer.concat(blocks);
}

async function saved(t: ExecutionContext, values: readonly (string | Uint8Array)[]) {
  const { engine, address } = await serveEtcd(t);
  for (const [index, value] of values.entries()) await engine.put(put(`key${index}`, value));
  const client = connectClient(t, address, MaintenanceClient);
  const messages: SnapshotResponse[] = [];
  for await (const message of client.snapshot(SnapshotRequest.create())) messages.push(message);
  return { engine, messages, bytes: Buffer.concat(messages.map(({ blob }) => blob)) };
}

async function written(t: ExecutionContext, bytes: Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(t), "saved.db");
  await writeFile(file, bytes);
  return file;
}

test("the bytes are kvd's own, then zeros to 512, then the SHA-256 of all before", async (t) => {
  const { engine, bytes } = await saved(t, ["1", "2", noise(2_500_000)]);
  const own = Buffer.concat(await snapshotOf(engine));
  t.true(bytes.subarray(0, own.length).equals(own));
  t.is(bytes.length % 512, 32);
  t.true(bytes.length - own.length < 512 + 32);
  const before = bytes.subarray(0, -32);
  t.true(before.subarray(own.length).every((byte) => byte === 0));
  t.deepEqual(createHash("sha256").update(before).digest(), bytes.subarray(-32));
});

test("each message tells what is known to come, and the last that nothing does", async (t) => {
  const { messages, bytes } = await saved(t, [noise(2_500_000), "2"]);
  t.true(messages.length > 3);
  let left = bytes.length;
  for (const { remainingBytes, blob, version, header } of messages) {
    left -= blob.length;
    t.true(Number(remainingBytes) <= left);
    t.is(remainingBytes === 0n, left === 0);
    t.is(version, "3.6.11");
    t.is(header?.revision, 3n);
    t.true(blob.length <= 1024 * 1024);
  }
});

test("kvd checks and restores such a file", async (t) => {
  for (const values of [[], ["1"], ["x".repeat(77), "2", "3"]]) {
    const { bytes, engine } = await saved(t, values);
    const file = await written(t, bytes);
    const clock = new ManualClock();
    const { header, bytes: length } = await checkSnapshot(file, clock);
    t.is(length, bytes.length);
    t.is(header.storeId, engine.storeId);
    const dataDir = join(await temporaryFolder(t), "data");
    const restored = await restoreSnapshot({ file, dataDir, limits: defaultLimits(), clock });
    t.is(restored.summary.header.revision, values.length + 1);
  }
});

test("with any byte of its end changed, or cut, such a file is refused", async (t) => {
  const { bytes, engine } = await saved(t, ["1"]);
  const own = Buffer.concat(await snapshotOf(engine)).length;
  const clock = new ManualClock();
  const check = async (damaged: Uint8Array) => checkSnapshot(await written(t, damaged), clock);
  for (let at = own - 1; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 0x10;
    await t.throwsAsync(check(changed), { instanceOf: DataError }, `byte ${at} of ${own}`);
  }
  const lengths = [bytes.length - 1, bytes.length - 32, bytes.length - 33, own + 1];
  for (const length of lengths) {
    await t.throwsAsync(check(bytes.subarray(0, length)), { instanceOf: DataError });
  }
  const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
  await t.throwsAsync(check(longer), { instanceOf: DataError });
  await t.notThrowsAsync(check(bytes));
  await t.notThrowsAsync(check(bytes.subarray(0, own)));
});
