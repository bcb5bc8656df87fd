// The public shapes of what operators ask and do. What a field means to the server is told in
// maintenance.proto; here is what a caller must know.

import type { CallOptions, GetOptions } from "./types.js";

/** How the server is. Its fields are those of StatusResponse in maintenance.proto. */
export interface Status {
  readonly version: string;
  /** What stands behind the server, such as "memory". */
  readonly engine: string;
  /** The name of the history that the revisions belong to. */
  readonly storeId: string;
  /** The newest revision. */
  readonly revision: number;
  /** Reading and watching below it is refused. */
  readonly compactRevision: number;
  /** The newest revision that is durable, and so the newest that is shown. */
  readonly durableRevision: number;
  readonly keys: number;
  readonly leases: number;
  readonly watchers: number;
  /** Bytes of the present entries. */
  readonly liveBytes: number;
  /** Bytes that compaction could free. */
  readonly historyBytes: number;
  readonly diskBytes: number;
  readonly fsyncPolicy: "always" | "everysec" | "never" | "memory" | "unknown";
  readonly uptimeMs: number;
  /** The limits in force; unit is "bytes", "count" or "ms", flag the flag of kvd that sets it. */
  readonly limits: readonly {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    readonly flag: string;
  }[];
  /** What is wrong now, for people. */
  readonly problems: readonly string[];
  /** What this engine lacks or rounds, as short stable names. */
  readonly capabilities: readonly string[];
  /** Work done and held, by stable names. */
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * A snapshot on its way: iterate over it for the chunks of its file, once. The client holds 256 KiB
 * of it while the consumer is behind; then the server waits. Leaving the loop ends it quietly. Any
 * other end than its own (the connection, the signal, close()) is thrown, so that what the loop has
 * given is whole when the loop is over. It is never begun anew by itself.
 */
export interface Snapshot extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** The revision that it is of, told with its first piece. @throws KvdClientError, likewise. */
  readonly revision: Promise<number>;
  /** Ends it. Twice does no harm. */
  close(): void;
}

/** What the health service says: "unknown" when it does not know itself. */
export type Health = "serving" | "not serving" | "unknown";

/** Care for the server, as kv.maintenance. */
export interface Maintenance {
  status(options?: CallOptions): Promise<Status>;
  /**
   * Whether the server takes calls, by the standard health service (grpc.health.v1): "not serving"
   * when it stops, or when its disk has failed. Costs it nothing.
   *
   * @throws KvdClientError when there is no such answer: UNIMPLEMENTED by what is no kvd.
   */
  health(options?: CallOptions): Promise<Health>;
  /**
   * Drops the versions that are superseded at or below a revision.
   *
   * @throws KvdClientError REVISION_COMPACTED at or below the present compact revision,
   *   REVISION_FUTURE, NUMBER_OUT_OF_RANGE for 0 or less.
   */
  compact(
    revision: number,
    options?: CallOptions,
  ): Promise<{ readonly revision: number; readonly compactRevision: number }>;
  /**
   * SHA-256 over the entries at a revision: equal stores have equal hashes.
   *
   * @throws KvdClientError REVISION_COMPACTED, REVISION_FUTURE, NOT_SUPPORTED.
   */
  hash(options?: GetOptions): Promise<{
    readonly hash: Uint8Array;
    readonly revision: number;
    readonly compactRevision: number;
  }>;
  /**
   * The whole store at one revision, as a file (docs/format.md). It is asked for at once, and has
   * no deadline unless a timeout is given.
   *
   * ```ts
   * const snapshot = kv.maintenance.snapshot();
   * for await (const chunk of snapshot) await file.write(chunk);
   * const revision = await snapshot.revision;
   * ```
   *
   * @throws KvdClientError while it is iterated over: FAILED_PRECONDITION by an engine without
   *   files.
   */
  snapshot(options?: CallOptions): Snapshot;
}
