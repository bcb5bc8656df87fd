// An Engine behind the wire: the generated clients against a served memory engine, so that the
// suites run through every layer of the server.
//
// Its close() and endWatches() are those of the served engine, while the server goes on: what they
// do to calls then comes over the wire as well. The lists of leases go by pages of the server's
// size, so `after` and `limit` are cut out of all pages here.

import { type Client, credentials, type ServiceError } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import {
  BatchRequest,
  type BatchResponse,
  type DeleteResponse,
  type GetResponse,
  KvServiceClient,
  type PutResponse,
  type RangeResponse,
  type TxnResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import {
  GrantRequest,
  type GrantResponse,
  type KeepAliveResponse,
  type Lease,
  LeaseServiceClient,
  ListRequest,
  type ListResponse,
  type RevokeResponse,
  type TimeToLiveResponse,
} from "../../gen/grpc/kvd/v1/lease.js";
import {
  type CompactResponse,
  FsyncPolicy,
  type HashResponse,
  MaintenanceServiceClient,
  SnapshotRequest,
  type SnapshotResponse,
  type StatusResponse,
} from "../../gen/grpc/kvd/v1/maintenance.js";
import type {
  Capability,
  Engine,
  EngineStatus,
  SnapshotStream,
  Watcher,
} from "../../server/kv/engine.js";
import { KvdError } from "../../server/kv/errors.js";
import { defaultLimits } from "../../server/kv/limits.js";
import type {
  BatchCommand,
  BatchOperation,
  DeleteCommand,
  GetCommand,
  LeaseId,
  PutCommand,
  RangeQuery,
  TxnCommand,
  WatchSpec,
} from "../../server/kv/types.js";
import { createServer } from "../../server/server.js";
import { type OpenEngine, type OpenOptions, openMemoryFor } from "./engines.js";
import { ManualClock } from "./manual-clock.js";
import { errorFromFailure } from "./remote-error.js";
import * as messages from "./remote-messages.js";
import { watcherOfMultiWatch, watcherOfWatch, watchRequest } from "./remote-watcher.js";

export type WatchesThrough = "Watch" | "MultiWatch";

/** Generated clients for one address, closed with all their calls when the test ends. */
export class RemoteClients {
  readonly kv: KvServiceClient;
  readonly lease: LeaseServiceClient;
  readonly maintenance: MaintenanceServiceClient;

  constructor(address: string) {
    const insecure = credentials.createInsecure();
    // Calls of their own connection: nothing is shared with another test of the process.
    const options = {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
    };
    this.kv = new KvServiceClient(address, insecure, options);
    this.lease = new LeaseServiceClient(address, insecure, options);
    this.maintenance = new MaintenanceServiceClient(address, insecure, options);
  }

  close(): void {
    for (const client of [this.kv, this.lease, this.maintenance] as Client[]) client.close();
  }
}

/** A unary call as a promise; a failed one rejects with the KvdError that it carries. */
export function call<Response>(
  start: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) =>
      error === null ? resolve(response) : reject(errorFromFailure(error)),
    );
  });
}

const FSYNC_POLICIES = {
  [FsyncPolicy.ALWAYS]: "always",
  [FsyncPolicy.EVERYSEC]: "everysec",
  [FsyncPolicy.NEVER]: "never",
  [FsyncPolicy.MEMORY]: "memory",
} as const;

class RemoteEngine implements Engine {
  readonly storeId: string;
  readonly failed: Promise<Error>;
  readonly #clients: RemoteClients;
  readonly #served: Engine;
  readonly #watchesThrough: WatchesThrough;
  readonly #watchers = new Set<Watcher>();

  constructor(clients: RemoteClients, served: Engine, watchesThrough: WatchesThrough) {
    this.storeId = served.storeId;
    this.failed = served.failed;
    this.#clients = clients;
    this.#served = served;
    this.#watchesThrough = watchesThrough;
  }

  get revision(): number {
    return this.#served.revision;
  }

  async get(command: GetCommand) {
    const { kv } = this.#clients;
    const request = messages.getRequest(command);
    return messages.getResult(await call<GetResponse>((done) => kv.get(request, done)));
  }

  async put(command: PutCommand) {
    const { kv } = this.#clients;
    const request = messages.putRequest(command);
    return messages.putResult(await call<PutResponse>((done) => kv.put(request, done)));
  }

  async delete(command: DeleteCommand) {
    const { kv } = this.#clients;
    const request = messages.deleteRequest(command);
    return messages.deleteResult(await call<DeleteResponse>((done) => kv.delete(request, done)));
  }

  async range(query: RangeQuery) {
    const { kv } = this.#clients;
    const request = messages.rangeRequest(query);
    const response = await call<RangeResponse>((done) => kv.range(request, done));
    return messages.rangeResult(response, query.count !== "no");
  }

  async txn(command: TxnCommand) {
    const { kv } = this.#clients;
    const request = messages.txnRequest(command);
    const response = await call<TxnResponse>((done) => kv.txn(request, done));
    return messages.txnResult(response, command);
  }

  async batch(command: BatchCommand) {
    const { kv } = this.#clients;
    const operations = command.operations.map((operation) => ({
      operation: batchOperation(operation),
    }));
    const request = BatchRequest.create({ operations });
    const response = await call<BatchResponse>((done) => kv.batch(request, done));
    return {
      revision: Number(response.revision),
      results: response.results.map(messages.batchResult),
    };
  }

  watch(spec: WatchSpec): Watcher {
    const { kv } = this.#clients;
    const request = watchRequest(spec);
    const watcher =
      this.#watchesThrough === "Watch"
        ? watcherOfWatch(kv.watch(request))
        : watcherOfMultiWatch(kv.multiWatch(), request);
    this.#watchers.add(watcher);
    return watcher;
  }

  async grant({ id, ttlMs }: { readonly id: LeaseId; readonly ttlMs: number }) {
    const { lease } = this.#clients;
    const request = GrantRequest.create({ id, ttl: messages.durationFromMs(ttlMs) });
    const granted = await call<GrantResponse>((done) => lease.grant(request, done));
    const grantedTtlMs = messages.msFromDuration(granted.ttl);
    const revision = Number(granted.revision);
    return { id: granted.id, ttlMs: grantedTtlMs, grantedTtlMs, revision };
  }

  keepAlive({ id }: { readonly id: LeaseId }): Promise<{ readonly ttlMs: number }> {
    const stream = this.#clients.lease.keepAlive();
    return new Promise((resolve, reject) => {
      stream.on("data", (answer: KeepAliveResponse) => {
        if (answer.id !== id) reject(new Error(`lease ${answer.id} was renewed, ${id} was meant`));
        resolve({ ttlMs: messages.msFromDuration(answer.ttl) });
      });
      stream.on("error", (error: ServiceError) => reject(errorFromFailure(error)));
      stream.end({ id });
    });
  }

  async revoke({ id }: { readonly id: LeaseId }) {
    const { lease } = this.#clients;
    const revoked = await call<RevokeResponse>((done) => lease.revoke({ id }, done));
    return { revision: Number(revoked.revision), deleted: Number(revoked.deleted) };
  }

  async timeToLive({ id, withKeys }: { readonly id: LeaseId; readonly withKeys: boolean }) {
    const { lease } = this.#clients;
    const told = await call<TimeToLiveResponse>((done) => lease.timeToLive({ id, withKeys }, done));
    const keys = told.keys.map(({ keyForm }) => messages.keyFromForm(keyForm));
    return { id, ...timesOfLease(told), keys, more: told.more };
  }

  async leases(query: { readonly after: LeaseId | undefined; readonly limit: number }) {
    const all = await this.#allLeases();
    const { after, limit } = query;
    const above = after === undefined ? all : all.filter(({ id }) => id > after);
    return {
      leases: above.slice(0, limit).map((lease) => ({ id: lease.id, ...timesOfLease(lease) })),
      more: above.length > limit,
    };
  }

  async compact({ revision }: { readonly revision: number }) {
    const { maintenance } = this.#clients;
    const request = { revision: BigInt(revision) };
    const told = await call<CompactResponse>((done) => maintenance.compact(request, done));
    return { revision: Number(told.revision), compactRevision: Number(told.compactRevision) };
  }

  async snapshot(): Promise<SnapshotStream> {
    const stream = this.#clients.maintenance.snapshot(SnapshotRequest.create({}));
    const messages: AsyncIterator<SnapshotResponse> = stream[Symbol.asyncIterator]();
    const step = async () => {
      try {
        const { done, value } = await messages.next();
        return done ? undefined : (value as SnapshotResponse);
      } catch (error) {
        throw errorFromFailure(error as ServiceError);
      }
    };
    let first = await step();
    return {
      revision: Number(first?.revision),
      async next() {
        const message = first ?? (await step());
        first = undefined;
        return message?.chunk;
      },
      close: () => stream.cancel(),
    };
  }

  async versions(): Promise<never> {
    throw new KvdError("NOT_SUPPORTED", "kvd.v1 has no walk over what is retained");
  }

  async hash({ revision }: { readonly revision: number }) {
    const { maintenance } = this.#clients;
    const request = { revision: BigInt(revision) };
    const told = await call<HashResponse>((done) => maintenance.hash(request, done));
    const compactRevision = Number(told.compactRevision);
    return { hash: told.hash, revision: Number(told.revision), compactRevision };
  }

  async status(): Promise<EngineStatus> {
    const { maintenance } = this.#clients;
    const told = await call<StatusResponse>((done) => maintenance.status({}, done));
    const counters = Object.entries(told.counters).map(([name, count]) => [name, Number(count)]);
    return {
      engine: told.engine,
      storeId: told.storeId,
      revision: Number(told.revision),
      compactRevision: Number(told.compactRevision),
      durableRevision: Number(told.durableRevision),
      keys: Number(told.keys),
      leases: Number(told.leases),
      watchers: Number(told.watchers),
      liveBytes: Number(told.liveBytes),
      historyBytes: Number(told.historyBytes),
      diskBytes: Number(told.diskBytes),
      fsyncPolicy: FSYNC_POLICIES[told.fsyncPolicy as keyof typeof FSYNC_POLICIES],
      // kvd.v1 tells it as a problem alone.
      outOfSpace: false,
      problems: told.problems,
      capabilities: told.capabilities as Capability[],
      counters: Object.fromEntries(counters),
    };
  }

  endWatches(): void {
    this.#served.endWatches();
  }

  close(): Promise<void> {
    return this.#served.close();
  }

  /** Cancels what would keep the server from stopping. */
  cancelWatches(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  async #allLeases(): Promise<Lease[]> {
    const { lease } = this.#clients;
    const leases: Lease[] = [];
    let pageToken: Uint8Array = new Uint8Array(0);
    do {
      const request = ListRequest.create({ pageToken });
      const page = await call<ListResponse>((done) => lease.list(request, done));
      leases.push(...page.leases);
      pageToken = page.nextPageToken;
    } while (pageToken.length > 0);
    return leases;
  }
}

function batchOperation(operation: BatchOperation) {
  switch (operation.kind) {
    case "get":
      return { $case: "get", value: messages.getRequest(operation.get) } as const;
    case "put":
      return { $case: "put", value: messages.putRequest(operation.put) } as const;
    case "delete":
      return { $case: "delete", value: messages.deleteRequest(operation.delete) } as const;
    case "refused":
      throw new Error("an operation that its caller has refused is not on the wire");
  }
}

function timesOfLease(lease: Pick<Lease, "ttl" | "grantedTtl">) {
  return {
    ttlMs: messages.msFromDuration(lease.ttl),
    grantedTtlMs: messages.msFromDuration(lease.grantedTtl),
  };
}

const SHUTDOWN_GRACE_MS = 1000;

/** A memory engine served on a free port, and clients for it. */
export async function serveMemory(t: ExecutionContext, options: OpenOptions = {}) {
  const { limits, clock = new ManualClock() } = options;
  const engine = await openMemoryFor(t, { ...options, clock });
  const server = await createServer({
    engine,
    clock,
    ...(limits === undefined ? {} : { limits }),
    shutdownGraceMs: SHUTDOWN_GRACE_MS,
  });
  const clients = new RemoteClients(server.address);
  t.teardown(async () => {
    clients.close();
    const closed = server.close();
    clock.advance(SHUTDOWN_GRACE_MS);
    await closed;
    await clock.settle();
    // What a stopped server leaves on its clock is the matter of a test of its own.
    clock.advance(defaultLimits(limits).requestMaxMs);
  });
  return { engine, server, clients, clock };
}

function openRemoteThrough(watchesThrough: WatchesThrough): OpenEngine {
  const open = async (t: ExecutionContext, options?: OpenOptions): Promise<Engine> => {
    const { engine, clients } = await serveMemory(t, options);
    const remote = new RemoteEngine(clients, engine, watchesThrough);
    t.teardown(() => remote.cancelWatches());
    return remote;
  };
  return Object.assign(open, {
    traits: {
      tellsCurrentRevision: false,
      countsBesidesRows: false,
      takesRefusedOperations: false,
      progressOnRequest: watchesThrough === "MultiWatch",
      pulledOneByOne: false,
      tellsWatchState: false,
      endsWatchesAlone: watchesThrough === "Watch",
      beginsAtOnce: false,
      walksVersions: false,
    },
  });
}

/** Through the wire, watches as calls of Watch. */
export const openRemote = openRemoteThrough("Watch");

/** Through the wire, watches as streams of MultiWatch. */
export const openRemoteMultiWatch = openRemoteThrough("MultiWatch");
