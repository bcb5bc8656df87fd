// Row 7: how long a Get takes while a snapshot of a million keys is taken, half of them are deleted
// in pages, and history is compacted, beside how long it takes at rest.

import { setTimeout as pause } from "node:timers/promises";
import { DeleteRequest, DeleteResponse } from "../../gen/grpc/kvd/v1/kv.js";
import { CompactRequest, SnapshotRequest } from "../../gen/grpc/kvd/v1/maintenance.js";
import type { Bench, Case } from "../case.js";
import { getMessage, keyAt, seededIndexes } from "../fixtures.js";
import { fillKvd } from "../load/fill.js";
import { H2Connection } from "../load/h2-connection.js";
import { framed } from "../load/message-splitter.js";
import { pacedLoad } from "../load/paced-load.js";
import { callUnary, drainStream } from "../load/unary-call.js";
import { KVD } from "../methods.js";

const KEYS = 1_000_000;
const DELETED = 500_000;
/** As kvctl does it, and listings. */
const DELETE_PAGE = 1000n;
const CALLS_A_SECOND = 1000;
const REST_SECONDS = 4;
const WORK_MIN_MS = 1000;
/** Longer than any of it takes. */
const WORK_MAX_SECONDS = 600;

type Work = (connection: H2Connection) => Promise<unknown>;

async function measure(bench: Bench, port: number, name: string, work?: Work): Promise<void> {
  const next = seededIndexes(7);
  const connection = await H2Connection.open(port);
  const began = performance.now();
  let workedUntil = began;
  const over = () => {
    workedUntil = performance.now();
  };
  // A work of a moment would leave too few calls for a p99.
  const doing = work && Promise.all([work(connection).then(over), pause(WORK_MIN_MS)]);
  const { latency } = await pacedLoad({
    port,
    path: KVD.get,
    // Of the half that stays.
    bodies: Array.from({ length: 1000 }, () => framed(getMessage(DELETED + next(KEYS - DELETED)))),
    connections: 8,
    rate: CALLS_A_SECOND,
    seconds: doing === undefined ? REST_SECONDS : WORK_MAX_SECONDS,
    // What the load before has left to be collected is not of the rest.
    warmUpSeconds: doing === undefined ? REST_SECONDS / 2 : 0,
    ...(doing && { until: doing }),
  });
  await doing;
  connection.close();
  if (work !== undefined) bench.record(`${name}: takes`, "s", (workedUntil - began) / 1000);
  bench.record(`Get, p99, ${name}`, "ms", latency.percentile(99) / 1000);
  bench.record(`Get, longest, ${name}`, "ms", latency.max / 1000);
}

async function snapshot(connection: H2Connection): Promise<void> {
  const message = SnapshotRequest.encode(SnapshotRequest.create()).finish();
  const taken = await drainStream(connection, KVD.snapshot, message);
  if (taken < KEYS) throw new Error(`a snapshot of ${KEYS} keys has ${taken} bytes`);
}

async function deleteHalf(connection: H2Connection): Promise<void> {
  const selector = {
    $case: "interval" as const,
    value: { start: keyOf(0), end: keyOf(DELETED) },
  };
  const message = DeleteRequest.encode(
    DeleteRequest.fromPartial({ selector, limit: DELETE_PAGE }),
  ).finish();
  let deleted = 0;
  for (let more = true; more; ) {
    const answer = DeleteResponse.decode(await callUnary(connection, KVD.delete, message));
    deleted += Number(answer.deleted);
    more = answer.more;
  }
  if (deleted !== DELETED) throw new Error(`${deleted} keys were deleted of ${DELETED}`);
}

const keyOf = (index: number) => ({ keyForm: { $case: "key" as const, value: keyAt(index) } });

async function compact(connection: H2Connection): Promise<void> {
  const { revision } = DeleteResponse.decode(
    await callUnary(
      connection,
      KVD.delete,
      DeleteRequest.encode(
        DeleteRequest.fromPartial({ selector: { $case: "key", value: "none" } }),
      ).finish(),
    ),
  );
  const message = CompactRequest.encode(CompactRequest.fromPartial({ revision })).finish();
  await callUnary(connection, KVD.compact, message);
}

const goal = (name: string) => ({
  row: 7,
  text: `p99 of Get ${name}, of that at rest`,
  over: `Get, p99, ${name}`,
  under: "Get, p99, at rest",
  bound: { atMost: 2 },
});

export const longWorkCase: Case = {
  name: "long-work",
  about: "p99 of Get while 1 million keys are saved, half of them deleted in pages, and compacted",
  goals: [goal("during a snapshot"), goal("during deletes in pages"), goal("during a compaction")],
  async run(bench) {
    const kvd = await bench.kvd({
      dataDir: bench.path("kvd"),
      // No snapshots but the one that is measured.
      flags: ["--snapshot-interval", "1d", "--snapshot-log-bytes", "1TiB"],
    });
    await fillKvd(kvd.port, KEYS);
    for (let round = 0; round < bench.options.rounds; round += 1) {
      await measure(bench, kvd.port, "at rest");
      await measure(bench, kvd.port, "during a snapshot", snapshot);
      await measure(bench, kvd.port, "during deletes in pages", deleteHalf);
      await measure(bench, kvd.port, "during a compaction", compact);
      await fillKvd(kvd.port, DELETED);
    }
  },
};
