// Snapshot: the bytes of a snapshot as a stream, at the pace of who takes them.
//
// While it is read it holds compaction up, so a peer that takes nothing for too long loses it.

import type { ServerWritableStream } from "@grpc/grpc-js";
import type { SnapshotRequest, SnapshotResponse } from "../../gen/grpc/kvd/v1/maintenance.js";
import type { Decoded } from "../grpc/codec.js";
import { type Gate, StreamWriter } from "../grpc/stream.js";
import type { SnapshotStream } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import type { ServiceOptions } from "./kv-service.js";
import { statusFromError } from "./status.js";

export type SnapshotCall = ServerWritableStream<Decoded<SnapshotRequest>, SnapshotResponse>;

export interface SnapshotOptions extends ServiceOptions {
  readonly clock: Clock;
}

/** What a message holds at most; far below what clients receive by default. */
const MESSAGE_BYTES = 1024 * 1024;

/** What the transport may hold for a peer before the next bytes wait. */
const UNSENT_MAX_BYTES = 64 * 1024;

/** Runs until all is written or the call is over, and frees the snapshot. */
export async function serveSnapshot(call: SnapshotCall, options: SnapshotOptions): Promise<void> {
  const { engine, limits, clock, statusOf } = options;
  const idleMaxMs = limits.watcherIdleMaxMs;
  const writer = new StreamWriter(call, { unsentMaxBytes: UNSENT_MAX_BYTES, idleMaxMs, clock });
  let snapshot: SnapshotStream | undefined;
  try {
    if (!call.request.ok) throw call.request.error;
    snapshot = await engine.snapshot();
    await sendAll(snapshot, writer, options);
    if (!writer.over) call.end();
  } catch (error) {
    if (error instanceof KvdError && error.reason === "WATCHER_TOO_SLOW") {
      writer.abandon(statusFromError(error));
    } else {
      writer.end(statusOf(error));
    }
  } finally {
    snapshot?.close();
  }
}

async function sendAll(
  snapshot: SnapshotStream,
  writer: StreamWriter<SnapshotResponse>,
  options: SnapshotOptions,
): Promise<void> {
  const gate = writer.gate();
  let revision = BigInt(snapshot.revision);
  while (!writer.over) {
    const bytes = await snapshot.next();
    if (bytes === undefined) return;
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
      await passInTime(gate, options);
      const chunk = bytes.subarray(at, at + MESSAGE_BYTES);
      writer.write({ revision, chunk }, chunk.length);
      revision = 0n;
    }
  }
}

/** @throws KvdError WATCHER_TOO_SLOW. */
function passInTime(
  gate: Gate,
  { limits, clock }: { readonly limits: Limits; readonly clock: Clock },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(limits.watcherIdleMaxMs, () => {
      const text = `the peer took nothing for ${limits.watcherIdleMaxMs} ms while data waited`;
      reject(new KvdError("WATCHER_TOO_SLOW", `${text} (--watcher-idle-max)`));
    });
    gate.pass().then(() => {
      timer.cancel();
      resolve();
    });
  });
}
