// The same long random sequences on kvd and on a real etcd: whatever a client can see has to be the
// same, but for the list in test/support/etcd/differences.ts.
//
// KVD_SEED sets the seed, which is printed; KVD_FAULT=long does all that is promised.

import type { ExecutionContext } from "ava";
import { PutRequest, WatchCreateRequest } from "../../gen/grpc/etcd/rpc.js";
import { DIFFERENCES } from "../support/etcd/differences.js";
import { EtcdCalls, type UnaryOperation } from "../support/etcd/etcd-calls.js";
import { startEtcd, whyNoEtcd } from "../support/etcd/etcd-server.js";
import { Judge, type Verdict } from "../support/etcd/judge.js";
import { MISTAKES, MistakenCalls } from "../support/etcd/mistakes.js";
import type { Operation } from "../support/etcd/operations.js";
import { type Outcome, textOf } from "../support/etcd/outcome.js";
import { PARTINGS } from "../support/etcd/partings.js";
import type { WatchLog, WatchView } from "../support/etcd/watch-log.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { startKvd } from "../support/process.js";
import { whereAble } from "../support/where-able.js";

const OPERATIONS = scaled({ quick: 3_000, long: 100_000 });
const OPERATIONS_ALIKE = scaled({ quick: 500, long: 10_000 });
const OPERATIONS_UNTIL_FOUND = 3_000;
const { declare, note } = whereAble(whyNoEtcd());

async function etcdCalls(t: ExecutionContext): Promise<EtcdCalls> {
  const { address } = await startEtcd(t);
  return new EtcdCalls(t, address);
}

function show({ operations, differences, revision }: Verdict): string[] {
  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts].map(([name, times]) => `${name} ${times}`).join(", ");
  return [
    `operations: ${list(operations)}`,
    `known differences: ${list(differences) || "none"}`,
    `equal hashes at revision ${revision}`,
  ];
}

declare(`${note}kvd answers ${OPERATIONS} random operations as etcd does`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const { address } = await startKvd(t);
  const servers = { etcd: await etcdCalls(t), kvd: new EtcdCalls(t, address) };
  const judge = new Judge({ servers, seed: SEED, differences: DIFFERENCES });
  const verdict = await judge.run(OPERATIONS);
  for (const line of show(verdict)) t.log(line);
  t.pass();
});

declare(`${note}kvd and etcd part where it is known that they do`, async (t) => {
  const { address } = await startKvd(t);
  const servers = { etcd: await etcdCalls(t), kvd: new EtcdCalls(t, address) };
  for (const { name, operation, etcd, kvd } of PARTINGS) {
    t.is(await endOf(servers.etcd, operation), etcd, `etcd: ${name}`);
    t.is(await endOf(servers.kvd, operation), kvd, `kvd: ${name}`);
  }
});

/** OK, or why not. That a server has gone is said in many ways. */
async function endOf(calls: EtcdCalls, operation: Operation): Promise<string> {
  if (operation.kind === "watch") {
    const reply = await calls.openWatches().create(operation.request);
    return `${reply.canceled ? `refused ${reply.cancelReason}` : "OK"}`;
  }
  const { error } = await calls.perform(operation as UnaryOperation);
  if (error === undefined) return "OK";
  return error.code === "UNAVAILABLE" ? error.code : `${error.code} ${error.text}`;
}

declare(
  `${note}a large revision comes whole, or in fragments if they were asked for`,
  async (t) => {
    const { address } = await startKvd(t);
    const told = await Promise.all(
      [await etcdCalls(t), new EtcdCalls(t, address)].map(async (calls) => {
        const log = calls.openWatches();
        const everything = { key: Buffer.of(0), rangeEnd: Buffer.of(0), prevKv: true };
        await log.create(WatchCreateRequest.create({ ...everything, watchId: 1n, fragment: true }));
        await log.create(WatchCreateRequest.create({ ...everything, watchId: 2n }));
        for (const key of ["a", "b", "c"]) await putLarge(calls, key);
        await calls.perform({ kind: "delete", request: { ...everything, prevKv: false } });
        return Promise.all([1n, 2n].map((id) => toldUntil(log, id, 5)));
      }),
    );
    const [etcd, kvd] = told;
    t.deepEqual(kvd, etcd);
    t.deepEqual(
      kvd?.map(({ hasFragments }) => hasFragments),
      [true, false],
    );
  },
);

const LARGE = Buffer.alloc(1_000_000, "x");

function putLarge(calls: EtcdCalls, key: string): Promise<Outcome> {
  const request = PutRequest.create({ key: Buffer.from(key), value: LARGE });
  return calls.perform({ kind: "put", request });
}

async function toldUntil(log: WatchLog, id: bigint, revision: number) {
  const view = log.views.get(id) as WatchView;
  await log.until(() => view.lastRevision >= revision && view.events.length >= 6);
  const { fragments } = view;
  const events = view.events.map((event) => textOf(event).replace(/(?:78){100,}/g, "large"));
  return { problems: log.problems, events, hasFragments: fragments > 0 };
}

declare(`${note}the judge finds no difference between an etcd and another`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const servers = { etcd: await etcdCalls(t), kvd: await etcdCalls(t) };
  const verdict = await new Judge({ servers, seed: SEED, differences: [] }).run(OPERATIONS_ALIKE);
  for (const line of show(verdict)) t.log(line);
  t.is(verdict.differences.size, 0);
});

for (const { title, change } of MISTAKES) {
  declare(`${note}the judge finds out who ${title}`, async (t) => {
    t.timeout(TIMEOUT_MS);
    t.log(`seed ${SEED}`);
    const { address } = await startEtcd(t);
    const servers = { etcd: await etcdCalls(t), kvd: new MistakenCalls(t, address, change) };
    const judge = new Judge({ servers, seed: SEED, differences: [] });
    const { message } = await t.throwsAsync(judge.run(OPERATIONS_UNTIL_FOUND));
    t.log(message.slice(0, 300));
    t.regex(message, /KVD_SEED=.* etcd .* kvd /s);
  });
}
