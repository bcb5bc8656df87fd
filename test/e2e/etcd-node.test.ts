// npm's etcd3, another client that knows nothing of kvd: what it does with kvd it also does with a
// real etcd, where there is one, and both tell it the same.

import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { Etcd3, EtcdLeaseInvalidError, EtcdLockFailedError, type IKeyValue } from "etcd3";
import { startEtcdOnPort } from "../support/etcd/etcd-on-port.js";
import { whyNoEtcdctl } from "../support/etcd/etcdctl.js";
import { inTime, startKvd } from "../support/process.js";
import { whereAble } from "../support/where-able.js";

type Script = (client: Etcd3, t: ExecutionContext) => Promise<readonly unknown[]>;

/** An event, or an error after the deadline of processes. */
const event = <T>(emitter: NodeJS.EventEmitter, name: string): Promise<T[]> =>
  inTime(once(emitter, name) as Promise<T[]>, name);

const seen = ({ key, value, version, mod_revision }: IKeyValue) =>
  `${key}=${value} version ${version} at ${mod_revision}`;

const SCRIPTS: Readonly<Record<string, Script>> = {
  "put, get and delete": async (client) => {
    await client.put("a").value("1");
    await client.put("b/1").value("x");
    await client.put("b/2").value("y");
    await client.put(Buffer.of(0xff, 0)).value(Buffer.of(0, 0xff));
    const previous = await client.put("a").value("2").getPrevious();
    return [
      seen(previous),
      await client.get("a").number(),
      await client.get("absent").string(),
      (await client.get(Buffer.of(0xff, 0)).buffer())?.toString("hex"),
      await client.getAll().prefix("b/").strings(),
      await client.getAll().prefix("b/").sort("Key", "Descend").limit(1).keys(),
      await client.getAll().count(),
      await client.get("a").revision(2).string(),
      (await client.delete().prefix("b/").getPrevious()).map(seen),
      (await client.delete().all()).deleted,
      (await client.get("a").exec()).header.revision,
    ];
  },

  transactions: async (client) => {
    const create = () =>
      client
        .if("once", "Create", "==", 0)
        .then(client.put("once").value("mine"), client.get("once"))
        .else(client.get("once"))
        .commit();
    const first = await create();
    const second = await create();
    const third = await client
      .if("once", "Value", "==", "mine")
      .and("absent", "Version", "==", 0)
      .then(client.delete().key("once"))
      .commit();
    return [first, second, third].map(({ succeeded, responses, header }) => [
      succeeded,
      responses,
      header.revision,
    ]);
  },

  "software transactions that meet": async (client) => {
    await client.put("sum").value("0");
    const add = () =>
      client.stm({ retries: 100 }).transact(async (tx) => {
        const sum = (await tx.get("sum").number()) ?? 0;
        await tx.put("sum").value(sum + 1);
      });
    await Promise.all(Array.from({ length: 8 }, add));
    return [await client.get("sum").string(), (await client.get("sum").exec()).kvs[0]?.version];
  },

  leases: async (client, t) => {
    const lease = client.lease(100, { autoKeepAlive: false });
    await lease.put("leased").value("1");
    const id = await lease.grant();
    const { kvs } = await client.get("leased").exec();
    t.is(kvs[0]?.lease, id);
    const { ID: renewed, TTL } = await lease.keepaliveOnce();
    t.is(renewed, id);
    await lease.revoke();
    const gone = client.lease(100, { autoKeepAlive: false });
    await client.leaseClient.leaseRevoke({ ID: await gone.grant() });
    const error = await t.throwsAsync(gone.keepaliveOnce());
    return [TTL, await client.get("leased").string(), error instanceof EtcdLeaseInvalidError];
  },

  locks: async (client, t) => {
    const held = await client.lock("m").ttl(10).acquire();
    const error = await t.throwsAsync(client.lock("m").acquire());
    await held.release();
    const again = await client.lock("m").do(async () => "done");
    return [error instanceof EtcdLockFailedError, again, await client.getAll().count()];
  },

  watches: async (client) => {
    const told: string[] = [];
    const watcher = await client.watch().prefix("w/").withPreviousKV().create();
    const all = new Promise<void>((resolve) => {
      watcher.on("put", (kv, previous) =>
        told.push(`put ${seen(kv)}, ${previous && seen(previous)}`),
      );
      watcher.on("delete", ({ key, mod_revision }, previous) => {
        told.push(`delete ${key} at ${mod_revision}, ${previous && seen(previous)}`);
        resolve();
      });
    });
    await client.put("w/1").value("one");
    await client.put("elsewhere").value("x");
    await client.put("w/1").value("two");
    await client.delete().key("w/1");
    await inTime(all, "the delete");
    await watcher.cancel();
    const late = await client.watch().key("w/1").startRevision("3").create();
    const [{ key, value }] = (await event<IKeyValue>(late, "put")) as [IKeyValue];
    await late.cancel();
    return [...told, `${key}=${value}`];
  },

  elections: async (client) => {
    const election = client.election("e", 10);
    const first = election.campaign("one");
    await first.wait();
    const observer = await election.observe();
    const told = [observer.leader() ?? (await event(observer, "change"))[0]];
    const second = election.campaign("two");
    const elected = second.wait();
    await first.proclaim("more");
    while (observer.leader() !== "more") await event(observer, "change");
    told.push(observer.leader());
    await first.resign();
    await inTime(elected, "the second leader");
    while (observer.leader() !== "two") await event(observer, "change");
    told.push(await election.leader());
    await observer.cancel();
    await second.resign();
    return told;
  },
};

async function outcome(t: ExecutionContext, script: Script, address: string): Promise<string> {
  const client = new Etcd3({ hosts: address });
  try {
    return JSON.stringify(await script(client, t), withoutServer, 1);
  } finally {
    client.close();
  }
}

function withoutServer(name: string, value: unknown): unknown {
  return ["cluster_id", "member_id", "raft_term"].includes(name) ? undefined : value;
}

const EXPECTED: Readonly<Record<string, readonly unknown[]>> = {
  "software transactions that meet": ["8", "9"],
  leases: ["100", null, true],
  locks: [true, "done", 0],
  elections: ["one", "more", "two"],
};

const { declare, note } = whereAble(whyNoEtcdctl());

for (const [name, script] of Object.entries(SCRIPTS)) {
  test(`npm's etcd3: ${name}`, async (t) => {
    const { address } = await startKvd(t);
    const told = JSON.parse(await outcome(t, script, address));
    t.true(told.length > 0);
    if (name in EXPECTED) t.deepEqual(told, EXPECTED[name]);
  });

  declare(`${note}npm's etcd3: ${name}, as with a real etcd`, async (t) => {
    const [kvd, etcd] = await Promise.all([startKvd(t), startEtcdOnPort(t)]);
    const expected = await outcome(t, script, etcd);
    t.log(expected);
    t.is(await outcome(t, script, kvd.address), expected);
  });
}
