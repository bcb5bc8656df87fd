// Debian's Python clients of etcd against kvd: a script each, which prints what it saw, and sees
// the same with a real etcd.

import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { startEtcdOnPort } from "../support/etcd/etcd-on-port.js";
import { whyNoEtcdctl } from "../support/etcd/etcdctl.js";
import { pythonWith } from "../support/etcd/python.js";
import { PROJECT, run, startKvd } from "../support/process.js";
import { whereAble } from "../support/where-able.js";

interface Peer {
  /** Of Debian, and of the script, by its name. */
  readonly module: string;
  readonly args: readonly string[];
  /** With a real etcd, if they are others. */
  readonly etcdArgs?: readonly string[];
}

async function told(t: ExecutionContext, { module, args }: Peer, address: string) {
  const script = join(PROJECT, `test/e2e/python/${module}_script.py`);
  const python = pythonWith(module) ?? "python3";
  const { exitCode, stdout, stderr } = await run(t, [python, script, address, ...args]);
  t.is(exitCode, 0, stdout + stderr);
  return stdout;
}

const same = test.macro(async (t, peer: Peer) => {
  const [kvd, etcd] = await Promise.all([startKvd(t), startEtcdOnPort(t)]);
  const { etcdArgs = peer.args } = peer;
  const expected = await told(t, { ...peer, args: etcdArgs }, etcd);
  t.log(expected);
  t.is(await told(t, peer, kvd.address), expected);
});

for (const peer of [
  { module: "etcd3", args: [] },
  ...["/v3/", "/v3beta/", "/v3alpha/"].map((path) => ({
    module: "etcd3gw",
    args: [path],
    etcdArgs: ["/v3/"],
  })),
]) {
  const missing = pythonWith(peer.module) === undefined ? `python3-${peer.module}` : undefined;
  const { declare, note } = whereAble(missing ?? whyNoEtcdctl());
  const title = ["Python's", peer.module, ...peer.args].join(" ");
  declare(`${note}${title} sees of kvd what it sees of a real etcd`, same, peer);
}
