// HashKV of the same histories, in kvd and in a real etcd: the same numbers, bit for bit.
//
// KVD_SEED sets the seed, which is printed.

import type { ExecutionContext } from "ava";
import {
  CompactionRequest,
  DeleteRangeRequest,
  KVClient,
  LeaseClient,
  LeaseGrantRequest,
  LeaseRevokeRequest,
  MaintenanceClient,
  PutRequest,
  type RequestOp,
  TxnRequest,
} from "../../gen/grpc/etcd/rpc.js";
import type { Engine } from "../../server/kv/engine.js";
import { bytes, del, interval, op, put, TXN_OPTIONS, txn, withLease } from "../support/commands.js";
import { startEtcd, whyNoEtcd } from "../support/etcd/etcd-server.js";
import { serveEtcd } from "../support/etcd/served-etcd.js";
import { connectClient, settle } from "../support/grpc-service.js";
import { type SeededRandom, seededRandom } from "../support/seeded-random.js";
import { whereAble } from "../support/where-able.js";

const { declare, note } = whereAble(whyNoEtcd());
const SEED = Number(process.env["KVD_SEED"] ?? Date.now() % 2 ** 32);
const STEPS = 300;
const LEASES = [7n, -8n, 1n << 62n];
const KEYS = Array.from({ length: 12 }, (_, index) => String.fromCharCode(0x61 + index));

/** A step taken in both. */
type Step = () => Promise<unknown>;

class Both {
  readonly #random: SeededRandom;
  readonly #engine: Engine;
  readonly #kv: KVClient;
  readonly #lease: LeaseClient;
  readonly #granted = new Set<bigint>();

  constructor(t: ExecutionContext, engine: Engine, address: string, random: SeededRandom) {
    this.#engine = engine;
    this.#random = random;
    this.#kv = connectClient(t, address, KVClient);
    this.#lease = connectClient(t, address, LeaseClient);
  }

  step(): Promise<unknown> {
    const steps: readonly Step[] = [
      () => this.#put(),
      () => this.#put(),
      () => this.#delete(),
      () => this.#txn(),
      () => this.#txn(),
      () => this.#grant(),
      () => this.#revoke(),
      () => this.#compact(),
    ];
    return this.#random.pick(steps)();
  }

  #put() {
    const key = this.#key();
    const value = this.#value();
    const lease = this.#random.pick([0n, ...this.#granted]);
    const command = put(key, value, lease === 0n ? {} : { lease: withLease(lease) });
    const request = PutRequest.create({ key: bytes(key), value, lease });
    return this.#both(this.#engine.put(command), (done) => this.#kv.put(request, done));
  }

  #delete() {
    const all = this.#random.below(4) === 0;
    const [key, end] = all ? ["a", "z"] : [this.#key(), this.#key()];
    const request = DeleteRangeRequest.create({ key: bytes(key), rangeEnd: bytes(end) });
    const selected = interval(key, end);
    return this.#both(this.#engine.delete(del(selected)), (done) =>
      this.#kv.deleteRange(request, done),
    );
  }

  /** Each key once, in any order. */
  #txn() {
    const keys = new Set(Array.from({ length: this.#random.below(8) }, () => this.#key()));
    const both = [...keys].map((key) => {
      const value = this.#value();
      const [keyBytes, rangeEnd] = [bytes(key), new Uint8Array(0)];
      if (this.#random.below(3) === 0) {
        const request = { key: keyBytes, rangeEnd, prevKv: false };
        return { ours: op.delete(del(key)), theirs: change("requestDeleteRange", request) };
      }
      const request = PutRequest.create({ key: keyBytes, value });
      return { ours: op.put(put(key, value)), theirs: change("requestPut", request) };
    });
    const command = txn({ success: both.map(({ ours }) => ours) });
    const request = TxnRequest.create({ success: both.map(({ theirs }) => theirs) });
    return this.#both(this.#engine.txn(command, TXN_OPTIONS), (done) =>
      this.#kv.txn(request, done),
    );
  }

  async #grant() {
    const ID = this.#random.pick(LEASES);
    if (this.#granted.has(ID)) return;
    this.#granted.add(ID);
    const request = LeaseGrantRequest.create({ ID, TTL: 3600n });
    const granting = this.#engine.grant({ id: ID, ttlMs: 3_600_000 });
    await this.#both(granting, (done) => this.#lease.leaseGrant(request, done));
  }

  async #revoke() {
    const [ID] = this.#granted;
    if (ID === undefined) return;
    this.#granted.delete(ID);
    const request = LeaseRevokeRequest.create({ ID });
    await this.#both(this.#engine.revoke({ id: ID }), (done) =>
      this.#lease.leaseRevoke(request, done),
    );
  }

  async #compact() {
    const { revision, compactRevision } = await this.#engine.status();
    if (revision - compactRevision < 20) return;
    const at = revision - this.#random.below(10);
    const request = CompactionRequest.create({ revision: BigInt(at), physical: true });
    await this.#both(this.#engine.compact({ revision: at }), (done) =>
      this.#kv.compact(request, done),
    );
  }

  #both(
    ours: Promise<unknown>,
    theirs: (done: (error: Error | null, answer: unknown) => void) => unknown,
  ) {
    return Promise.all([ours, settle(theirs)]);
  }

  #key(): string {
    return this.#random.pick(KEYS);
  }

  #value(): Uint8Array {
    return Buffer.alloc(this.#random.pick([0, 1, 200]), "v");
  }
}

function change<Case extends "requestPut" | "requestDeleteRange">(
  $case: Case,
  value: (NonNullable<RequestOp["request"]> & { $case: Case })["value"],
): RequestOp {
  return { request: { $case, value } as NonNullable<RequestOp["request"]> };
}

declare(`${note}checksums of random histories are etcd's`, async (t) => {
  t.log(`KVD_SEED=${SEED}`);
  const random = seededRandom(SEED);
  const { engine, address } = await serveEtcd(t);
  const etcd = await startEtcd(t);
  const both = new Both(t, engine, etcd.address, random);
  const ours = connectClient(t, address, MaintenanceClient);
  const theirs = connectClient(t, etcd.address, MaintenanceClient);
  const hashIn = async (client: MaintenanceClient, revision: number) => {
    const request = { revision: BigInt(revision) };
    const answer = await settle<{ hash: number; compactRevision: bigint }>((done) =>
      client.hashKv(request, done),
    );
    const { hash, compactRevision } = answer;
    return { revision, hash, compactRevision };
  };
  for (let step = 0; step < STEPS; step += 1) {
    await both.step();
    const { revision, compactRevision } = await engine.status();
    const above = compactRevision + 1 + random.below(Math.max(1, revision - compactRevision));
    for (const at of [0, -1, Math.min(above, revision)]) {
      if (at > 0 && at <= compactRevision) continue;
      t.deepEqual(await hashIn(ours, at), await hashIn(theirs, at), `after step ${step}`);
    }
  }
});
