// The generated clients of one server, on one connection: does one operation and gives what it came
// to. Watches are kept by a WatchLog.

import { type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  type HashKVRequest,
  type HashKVResponse,
  KVClient,
  LeaseClient,
  type LeaseGrantRequest,
  type LeaseGrantResponse,
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  type LeaseLeasesResponse,
  type LeaseTimeToLiveRequest,
  type LeaseTimeToLiveResponse,
  MaintenanceClient,
  WatchClient,
} from "../../../gen/grpc/etcd/rpc.js";
import { settle } from "../grpc-service.js";
import type { Scope } from "../process.js";
import type { Operation } from "./operations.js";
import { type Outcome, outcomeOf, outcomeOfError } from "./outcome.js";
import { WatchLog } from "./watch-log.js";

export type UnaryOperation = Exclude<
  Operation,
  { kind: "watch" | "cancel" | "progress" | "reopen" }
>;
const OPTIONS = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

export class EtcdCalls {
  readonly #kv: KVClient;
  readonly #lease: LeaseClient;
  readonly #maintenance: MaintenanceClient;
  readonly #watch: WatchClient;
  readonly #logs: WatchLog[] = [];
  #renewals: ClientDuplexStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse> | undefined;

  constructor(scope: Scope, address: string) {
    const insecure = credentials.createInsecure();
    this.#kv = new KVClient(address, insecure, OPTIONS);
    this.#lease = new LeaseClient(address, insecure, OPTIONS);
    this.#maintenance = new MaintenanceClient(address, insecure, OPTIONS);
    this.#watch = new WatchClient(address, insecure, OPTIONS);
    scope.teardown(() => this.#close());
  }

  /** A new stream of watches. */
  openWatches(): WatchLog {
    const log = new WatchLog(this.#watch.watch());
    this.#logs.push(log);
    return log;
  }

  async perform(operation: UnaryOperation): Promise<Outcome> {
    try {
      return await this.#performed(operation);
    } catch (error) {
      return outcomeOfError(error as ServiceError);
    }
  }

  async #performed(operation: UnaryOperation): Promise<Outcome> {
    const [kv, lease] = [this.#kv, this.#lease];
    switch (operation.kind) {
      case "range":
        return outcomeOf(await settle((done) => kv.range(operation.request, done)));
      case "put":
        return outcomeOf(await settle((done) => kv.put(operation.request, done)));
      case "delete":
        return outcomeOf(await settle((done) => kv.deleteRange(operation.request, done)));
      case "txn":
        return outcomeOf(await settle((done) => kv.txn(operation.request, done)));
      case "compact":
        return outcomeOf(await settle((done) => kv.compact(operation.request, done)));
      case "hash":
        return this.#hash(operation.request);
      case "grant":
        return outcomeOf(await settle((done) => lease.leaseGrant(operation.request, done)));
      case "grantAndRevoke":
        return this.#grantAndRevoke(operation.request);
      case "timeToLive":
        return withoutTime(await this.#timeToLive(operation.request));
      case "revoke":
        return outcomeOf(await settle((done) => lease.leaseRevoke(operation, done)));
      case "keepAlive":
        return outcomeOf(await this.#renew(operation));
      case "leases":
        return outcomeOf(
          sorted(await settle<LeaseLeasesResponse>((done) => lease.leaseLeases({}, done))),
        );
    }
  }

  /** Without a field that 3.4 does not have. */
  async #hash(request: HashKVRequest): Promise<Outcome> {
    const maintenance = this.#maintenance;
    const { header, hash, compactRevision } = await settle<HashKVResponse>((done) =>
      maintenance.hashKv(request, done),
    );
    return outcomeOf({ header, hash, compactRevision });
  }

  #timeToLive(request: LeaseTimeToLiveRequest): Promise<LeaseTimeToLiveResponse> {
    return settle((done) => this.#lease.leaseTimeToLive(request, done));
  }

  async #grantAndRevoke(request: LeaseGrantRequest): Promise<Outcome> {
    const lease = this.#lease;
    const granted = await settle<LeaseGrantResponse>((done) => lease.leaseGrant(request, done));
    const { ID } = granted;
    const found = await this.#timeToLive({ ID, keys: true });
    const renewed = await this.#renew({ ID });
    const revoked = await settle((done) => lease.leaseRevoke({ ID }, done));
    // Ids of the server's are positive, and differ.
    const id = request.ID === 0n ? (ID > 0n ? "some" : "wrong") : ID;
    return outcomeOf([
      { ...granted, ID: id },
      { ...found, ID: id, TTL: undefined },
      { ...renewed, ID: id },
      revoked,
    ]);
  }

  #renew(request: LeaseKeepAliveRequest): Promise<LeaseKeepAliveResponse> {
    this.#renewals ??= this.#lease.leaseKeepAlive().on("error", () => {});
    const stream = this.#renewals;
    return new Promise((resolve, reject) => {
      const settled = () => {
        stream.off("data", take);
        stream.off("error", refuse);
      };
      const take = (reply: LeaseKeepAliveResponse) => {
        settled();
        resolve(reply);
      };
      const refuse = (error: ServiceError) => {
        settled();
        this.#renewals = undefined;
        reject(error);
      };
      stream.on("data", take).on("error", refuse);
      stream.write(request);
    });
  }

  #close(): void {
    for (const log of this.#logs) log.close();
    this.#renewals?.cancel();
    for (const client of [this.#kv, this.#lease, this.#maintenance, this.#watch]) client.close();
  }
}

/** Keys of a lease are a set, and what remains is not compared to the second. */
function withoutTime({ TTL, keys, ...reply }: LeaseTimeToLiveResponse): Outcome {
  const texts = keys.map((key) => Buffer.from(key).toString("hex")).sort();
  const outcome = outcomeOf({ ...reply, keys: texts, found: TTL >= 0n });
  return { ...outcome, remaining: Number(TTL) };
}

function sorted({ leases, ...reply }: LeaseLeasesResponse) {
  return { ...reply, leases: leases.map(({ ID }) => `${ID}`).sort() };
}
