// Snapshot: the bytes of a snapshot as a stream. The first message tells its revision.

import type { SnapshotRequest, SnapshotResponse } from "../../gen/grpc/kvd/v1/maintenance.js";
import { type ByteSource, piecesOf } from "../grpc/byte-stream.js";
import type { Decoded } from "../grpc/codec.js";
import { servePaced } from "../grpc/paced-stream.js";
import type { AnsweringCall } from "../grpc/service.js";
import type { Engine } from "../kv/engine.js";
import type { Clock } from "../lib/clock.js";
import type { ServiceOptions } from "./kv-service.js";

export type SnapshotCall = AnsweringCall<Decoded<SnapshotRequest>, SnapshotResponse>;

export interface SnapshotOptions extends ServiceOptions {
  readonly clock: Clock;
}

export function serveSnapshot(call: SnapshotCall, options: SnapshotOptions): Promise<void> {
  return servePaced(call, () => piecesOf(() => openSnapshot(options.engine)), options);
}

async function openSnapshot(engine: Engine): Promise<ByteSource<SnapshotResponse>> {
  const snapshot = await engine.snapshot();
  let revision = BigInt(snapshot.revision);
  return {
    next: () => snapshot.next(),
    message(chunk) {
      const message = { revision, chunk };
      revision = 0n;
      return message;
    },
    close: () => snapshot.close(),
  };
}
