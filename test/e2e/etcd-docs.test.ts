// docs/etcd.md is true: its commands print what stands there, its table has every RPC, and what it
// says to fail fails.

import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceDefinition } from "@grpc/grpc-js";
import test from "ava";
import { ElectionService } from "../../gen/grpc/etcd/election.js";
import { LockService } from "../../gen/grpc/etcd/lock.js";
import {
  AuthService,
  ClusterService,
  KVService,
  LeaseService,
  MaintenanceService,
  WatchService,
} from "../../gen/grpc/etcd/rpc.js";
import { DIFFERENCES } from "../support/etcd/differences.js";
import { etcdctlFor } from "../support/etcd/etcdctl.js";
import { PARTINGS } from "../support/etcd/partings.js";
import { folderOfKvctl } from "../support/kvctl-folder.js";
import { PROJECT, run, startKvd } from "../support/process.js";
import { blocksOf, consoleSteps } from "../support/readme.js";
import { whereAble } from "../support/where-able.js";

const DEFAULT_ADDRESS = "127.0.0.1:7856";

const SERVICES: readonly ServiceDefinition[] = [
  KVService,
  WatchService,
  LeaseService,
  ClusterService,
  MaintenanceService,
  AuthService,
  LockService,
  ElectionService,
];

function whyUnable(...commands: readonly string[]): string | undefined {
  const missing = commands.filter((name) => spawnSync(name, ["--help"]).status !== 0);
  return missing.length === 0 ? undefined : missing.join(" and ");
}

const document = () => readFile(join(PROJECT, "docs/etcd.md"), "utf8");

const commands = whereAble(whyUnable("etcdctl", "curl"));

commands.declare(
  `${commands.note}the commands of docs/etcd.md print what stands there`,
  async (t) => {
    const { address } = await startKvd(t);
    const environment = {
      PATH: `${await folderOfKvctl(t)}:${process.env["PATH"]}`,
      KVCTL_SERVER: address,
      ETCDCTL_API: "3",
    };
    const blocks = blocksOf(await document()).filter(({ language }) => language === "console");
    const steps = blocks.flatMap(({ text }) => consoleSteps(text));
    t.true(steps.length >= 10);
    for (const { command, prints } of steps) {
      const here = command.replaceAll(DEFAULT_ADDRESS, address);
      t.not(here, command.startsWith("kvctl") ? "" : command);
      const { stdout, stderr } = await run(t, ["sh", "-c", here], { environment });
      t.is(stdout, prints, `$ ${command}\n${stderr}`);
    }
  },
);

test("the table of docs/etcd.md has every RPC once, and no other", async (t) => {
  const rows = [...(await document()).matchAll(/^\| ([A-Z]\w*\.\w+) \| (yes|no|as etcd) \| /gm)];
  const listed = rows.map(([, name]) => name);
  const served = SERVICES.flatMap(Object.values<ServiceDefinition[string]>).map(({ path }) =>
    path.replace(/^\/\w+\.(\w+)\/(\w+)$/, "$1.$2"),
  );
  t.is(served.length, 49);
  t.deepEqual([...listed].sort(), [...served].sort());
});

test("docs/etcd.md has each difference that the judge lets pass, and in bold no other", async (t) => {
  const [, section = ""] = (await document()).split("## Known differences");
  const bold = [...section.matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, name = ""]) => name);
  const judged = [...DIFFERENCES, ...PARTINGS].map(
    ({ name }) => `${name[0]?.toUpperCase()}${name.slice(1)}`,
  );
  t.deepEqual(bold.sort(), judged.sort());
});

const etcdctl = whereAble(whyUnable("etcdctl"));

etcdctl.declare(`${etcdctl.note}an endpoint with a scheme works for every command`, async (t) => {
  const { address } = await startKvd(t);
  const plain = etcdctlFor(t, address);
  const url = etcdctlFor(t, `http://${address}`);
  for (const command of ["put a 1", "get a", "member list", "alarm list", "endpoint health"]) {
    t.is((await url(...command.split(" "))).exitCode, 0, command);
  }
  for (const command of ["endpoint status", "endpoint hashkv", "defrag"]) {
    const words = command.split(" ");
    for (const etcdctl of [plain, url]) {
      t.like(await etcdctl(...words), { exitCode: 0 }, command);
      t.like(await etcdctl(...words, "--cluster"), { exitCode: 0 }, `${command} --cluster`);
    }
  }
});
