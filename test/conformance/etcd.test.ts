// The same long random sequences on kvd and on a real etcd: whatever a client can see has to be the
// same, but for the list in test/support/etcd/differences.ts.
//
// KVD_SEED sets the seed, which is printed; KVD_FAULT=long does all that is promised.

import type { ExecutionContext } from "ava";
import { DIFFERENCES } from "../support/etcd/differences.js";
import { EtcdCalls } from "../support/etcd/etcd-calls.js";
import { startEtcd, whyNoEtcd } from "../support/etcd/etcd-server.js";
import { Judge, type Verdict } from "../support/etcd/judge.js";
import { MISTAKES, MistakenCalls } from "../support/etcd/mistakes.js";
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
