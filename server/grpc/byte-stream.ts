// Bytes that have no known end, as a streaming answer at the pace of who takes them.
//
// What gives them may hold something up while it is read, so a peer that takes nothing for too long
// loses them.

import type { ServerWritableStream } from "@grpc/grpc-js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import type { Decoded } from "./codec.js";
import type { StatusOf } from "./failures.js";
import { type Gate, StreamWriter } from "./stream.js";

export interface ByteSource<Response> {
  /** The next bytes, as many as it likes; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** The message that carries a piece of them; `left` of the same bytes come after it. */
  message(piece: Uint8Array, left: number): Response;
  /** Once, whether all was taken or not. */
  close(): void;
}

export interface ByteStreamOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly statusOf: StatusOf;
}

/** What a message holds at most; far below what clients receive by default. */
const MESSAGE_BYTES = 1024 * 1024;

/** What the transport may hold for a peer before the next bytes wait. */
const UNSENT_MAX_BYTES = 64 * 1024;

/** Runs until all is written or the call is over, and closes the source. */
export async function serveBytes<Request, Response>(
  call: ServerWritableStream<Decoded<Request>, Response>,
  open: () => Promise<ByteSource<Response>>,
  options: ByteStreamOptions,
): Promise<void> {
  const { limits, clock, statusOf } = options;
  const idleMaxMs = limits.watcherIdleMaxMs;
  const writer = new StreamWriter(call, { unsentMaxBytes: UNSENT_MAX_BYTES, idleMaxMs, clock });
  let source: ByteSource<Response> | undefined;
  try {
    if (!call.request.ok) throw call.request.error;
    source = await open();
    await sendAll(source, writer, options);
    if (!writer.over) call.end();
  } catch (error) {
    const isSlow = error instanceof KvdError && error.reason === "WATCHER_TOO_SLOW";
    if (isSlow) writer.abandon(statusOf(error));
    else writer.end(statusOf(error));
  } finally {
    source?.close();
  }
}

async function sendAll<Response>(
  source: ByteSource<Response>,
  writer: StreamWriter<Response>,
  options: ByteStreamOptions,
): Promise<void> {
  const gate = writer.gate();
  while (!writer.over) {
    const bytes = await source.next();
    if (bytes === undefined) return;
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
      await passInTime(gate, options);
      const piece = bytes.subarray(at, at + MESSAGE_BYTES);
      writer.write(source.message(piece, bytes.length - at - piece.length), piece.length);
    }
  }
}

/** @throws KvdError WATCHER_TOO_SLOW. */
function passInTime(gate: Gate, { limits, clock }: ByteStreamOptions): Promise<void> {
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
