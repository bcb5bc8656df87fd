// The calls of MaintenanceService: check and translate, call, translate. A snapshot is a stream,
// pulled by whoever iterates over its chunks.

import { Metadata, type StatusObject } from "@grpc/grpc-js";
import {
  CompactRequest,
  CompactResponse,
  FsyncPolicy,
  HashRequest,
  HashResponse,
  MaintenanceServiceService,
  SnapshotRequest,
  SnapshotResponse,
  StatusRequest,
  StatusResponse,
} from "../gen/grpc/kvd/v1/maintenance.js";
import { onAbort } from "./abort.js";
import { callSite } from "./call-site.js";
import { abortedError, type Calls, deadlineOf, method } from "./calls.js";
import { msFromMessage } from "./duration.js";
import { errorFromStatus, KvdClientError } from "./errors.js";
import type { Maintenance, Snapshot, Status } from "./maintenance-types.js";
import { int64FromNumber, numberFromInt64 } from "./numbers.js";
import { PullStream, type Sized } from "./stream.js";
import type { CallOptions, GetOptions } from "./types.js";

const STATUS = method(MaintenanceServiceService.status.path, StatusRequest, StatusResponse);
const COMPACT = method(MaintenanceServiceService.compact.path, CompactRequest, CompactResponse);
const SNAPSHOT = method(MaintenanceServiceService.snapshot.path, SnapshotRequest, SnapshotResponse);
const HASH = method(MaintenanceServiceService.hash.path, HashRequest, HashResponse);

export class MaintenanceCalls implements Maintenance {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async status(options: CallOptions & { readonly waitForReady?: boolean } = {}): Promise<Status> {
    return this.#calls.unary(STATUS, {}, options, statusFromMessage);
  }

  async compact(
    revision: number,
    options: CallOptions = {},
  ): Promise<{ readonly revision: number; readonly compactRevision: number }> {
    const request = { revision: int64FromNumber(revision, "revision") };
    return this.#calls.unary(COMPACT, request, options, (response) => ({
      revision: numberFromInt64(response.revision, "revision"),
      compactRevision: numberFromInt64(response.compactRevision, "compact_revision"),
    }));
  }

  snapshot({ signal, timeout }: CallOptions = {}): Snapshot {
    const what = this.#calls.describe(SNAPSHOT.name);
    const timeoutMs = timeout === undefined ? 0 : this.#calls.timeoutMs({ timeout });
    const deadline = deadlineOf(timeoutMs);
    this.#calls.enter(callSite(this.snapshot));
    const stream = this.#calls.channel.makeServerStreamRequest(
      SNAPSHOT.path,
      SNAPSHOT.serialize,
      (bytes: Buffer): Sized<SnapshotResponse> => ({
        message: SNAPSHOT.deserialize(bytes),
        bytes: bytes.length,
      }),
      {},
      new Metadata(),
      { deadline },
    );
    const pieces = new PullStream(stream, () => {
      forget();
      this.#calls.gate.leave();
    });
    const forget = onAbort(signal, () => pieces.cancel());
    if (signal?.aborted) pieces.cancel();
    return new StreamedSnapshot(pieces, (status) => {
      if (signal?.aborted) return abortedError(what, signal);
      if (status !== undefined) return errorFromStatus(status, what);
      return new KvdClientError("CANCELLED", `${what}: closed before its end`);
    });
  }

  async hash(options: GetOptions = {}): Promise<{
    readonly hash: Uint8Array;
    readonly revision: number;
    readonly compactRevision: number;
  }> {
    const request = { revision: int64FromNumber(options.revision, "revision") };
    return this.#calls.unary(HASH, request, options, (response) => ({
      hash: response.hash,
      revision: numberFromInt64(response.revision, "revision"),
      compactRevision: numberFromInt64(response.compactRevision, "compact_revision"),
    }));
  }
}

class StreamedSnapshot implements Snapshot {
  readonly revision: Promise<number>;
  readonly #pieces: PullStream<SnapshotResponse>;
  readonly #errorOf: (status: StatusObject | undefined) => Error;
  readonly #first: Promise<SnapshotResponse | undefined>;

  constructor(
    pieces: PullStream<SnapshotResponse>,
    errorOf: (status: StatusObject | undefined) => Error,
  ) {
    this.#pieces = pieces;
    this.#errorOf = errorOf;
    this.#first = this.#next();
    this.revision = this.#first.then((piece) => numberFromInt64(piece?.revision ?? 0n, "revision"));
    // Whoever waits for it, or iterates, is told; nobody has to.
    this.revision.catch(() => {});
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      for (let piece = await this.#first; piece !== undefined; piece = await this.#next()) {
        yield piece.chunk;
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#pieces.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Undefined at its own end. */
  async #next(): Promise<SnapshotResponse | undefined> {
    const piece = await this.#pieces.next();
    if (piece !== undefined) return piece;
    const { status } = this.#pieces;
    if (status?.code === 0) return undefined;
    throw this.#errorOf(status);
  }
}

const FSYNC_POLICIES: ReadonlyMap<number, Exclude<Status["fsyncPolicy"], "unknown">> = new Map([
  [FsyncPolicy.ALWAYS, "always"],
  [FsyncPolicy.EVERYSEC, "everysec"],
  [FsyncPolicy.NEVER, "never"],
  [FsyncPolicy.MEMORY, "memory"],
]);

function statusFromMessage(response: StatusResponse): Status {
  const { version, engine, storeId, problems, capabilities } = response;
  return {
    version,
    engine,
    storeId,
    revision: numberFromInt64(response.revision, "revision"),
    compactRevision: numberFromInt64(response.compactRevision, "compact_revision"),
    durableRevision: numberFromInt64(response.durableRevision, "durable_revision"),
    keys: numberFromInt64(response.keys, "keys"),
    leases: numberFromInt64(response.leases, "leases"),
    watchers: numberFromInt64(response.watchers, "watchers"),
    liveBytes: numberFromInt64(response.liveBytes, "live_bytes"),
    historyBytes: numberFromInt64(response.historyBytes, "history_bytes"),
    diskBytes: numberFromInt64(response.diskBytes, "disk_bytes"),
    fsyncPolicy: FSYNC_POLICIES.get(response.fsyncPolicy) ?? "unknown",
    uptimeMs: msFromMessage(response.uptime),
    limits: response.limits.map((limit) => ({
      name: limit.name,
      value: numberFromInt64(limit.value, limit.name),
      unit: limit.unit,
      flag: limit.flag,
    })),
    problems,
    capabilities,
    counters: Object.fromEntries(
      Object.entries(response.counters).map(([name, value]) => [
        name,
        numberFromInt64(value, name),
      ]),
    ),
  };
}
