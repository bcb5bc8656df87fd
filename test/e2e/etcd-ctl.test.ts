// etcdctl against kvd, every command that people use, with what it says against a real etcd: the
// same history makes the same words, revisions and hashes; only ids that a server chooses differ.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { RangeResponse } from "../../gen/grpc/etcd/rpc.js";
import { startEtcdOnPort } from "../support/etcd/etcd-on-port.js";
import {
  type Etcdctl,
  etcdctlFor,
  type Step,
  transcript,
  whyNoEtcdctl,
  withoutIds,
} from "../support/etcd/etcdctl.js";
import { startKvd, temporaryFolder } from "../support/process.js";
import { until } from "../support/take.js";
import { whereAble } from "../support/where-able.js";

const { declare, note } = whereAble(whyNoEtcdctl());

interface Servers {
  readonly kvd: Etcdctl;
  readonly etcd: Etcdctl;
}

async function startBoth(t: ExecutionContext): Promise<Servers> {
  const [{ address }, etcd] = await Promise.all([startKvd(t), startEtcdOnPort(t)]);
  return { kvd: etcdctlFor(t, address), etcd: etcdctlFor(t, etcd) };
}

const same = test.macro(async (t, script: readonly Step[]) => {
  const { kvd, etcd } = await startBoth(t);
  const expected = await transcript(etcd, script);
  t.log(expected);
  t.is(await transcript(kvd, script), expected);
});

const FORMATS = ["simple", "fields", "json"];
const FILL: readonly Step[] = [
  ["put", "a", "1"],
  ["put", "b/1", "three"],
  ["put", "b/2", "two"],
  ["put", "b/3", "one"],
  ["put", "b/1", "more"],
  ["put", "c", ""],
  ["put", "\u00fc", "\u00e9"],
];

declare(`${note}put, with every flag`, same, [
  ["put", "k", "1"],
  ["put", "k", "2", "--prev-kv"],
  { args: ["put", "k"], stdin: "from standard input" },
  ["lease", "grant", "100"],
  ["put", "k", "3", "--lease", "L1"],
  ["put", "k", "4", "--ignore-lease"],
  ["put", "k", "--ignore-value"],
  ["get", "k", "-w", "json"],
  ["put", "absent", "--ignore-value"],
  ["put", "absent", "x", "--ignore-lease"],
  ["put", "k", "x", "--lease", "7fffffff"],
  ["put", "", "x"],
  ["put", "--", "-dash", "-value"],
  ["get", "--", "-dash"],
  ...FORMATS.map((format) => ["put", "k", "5", "--prev-kv", "-w", format]),
]);

declare(`${note}get, with every flag`, same, [
  ...FILL,
  ["get", "a"],
  ["get", "absent"],
  ["get", ""],
  ["get", "b/", "--prefix"],
  ["get", "", "--prefix"],
  ["get", "b/1", "b/3"],
  ["get", "b/3", "b/1"],
  ["get", "b/2", "--from-key"],
  ["get", "", "--from-key", "--keys-only"],
  ["get", "b/", "--prefix", "--limit", "2"],
  ["get", "b/", "--prefix", "--limit", "2", "-w", "json"],
  ["get", "b/", "--prefix", "--order", "DESCEND"],
  ...["CREATE", "KEY", "MODIFY", "VALUE", "VERSION"].flatMap((target): Step[] => [
    ["get", "b/", "--prefix", "--sort-by", target],
    ["get", "b/", "--prefix", "--sort-by", target, "--order", "DESCEND", "--limit", "2"],
    ["get", "b/", "--prefix", "--sort-by", target, "--keys-only", "-w", "json"],
  ]),
  ["get", "b/1", "--rev", "3"],
  ["get", "b/1", "--rev", "2"],
  ["get", "b/1", "--rev", "100"],
  ["get", "b/", "--prefix", "--rev", "4"],
  ["get", "b/", "--prefix", "--keys-only"],
  ["get", "b/1", "--print-value-only"],
  ["get", "b/1", "--consistency", "s"],
  ["get", "\u00fc", "--hex"],
  ...FORMATS.map((format) => ["get", "b/", "--prefix", "-w", format]),
]);

declare(`${note}del, with every flag`, same, [
  ...FILL,
  ["del", "a"],
  ["del", "a"],
  ["del", "b/1", "b/3"],
  ["del", "b/", "--prefix", "--prev-kv"],
  ["del", "c", "--from-key", "--prev-kv", "-w", "json"],
  ["del", ""],
  ["get", "", "--prefix", "-w", "json"],
]);

declare(`${note}txn`, same, [
  ...FILL,
  { args: ["txn"], stdin: 'mod("a") = "2"\n\nput a yes\nget a\n\nput a no\n\n' },
  {
    args: ["txn"],
    stdin: 'value("a") = "no"\n\nput a yes\n\nget b/ --prefix --limit 1\ndel c\n\n',
  },
  { args: ["txn", "-w", "json"], stdin: 'version("b/1") > "1"\n\ndel b/ --prefix\n\n\n' },
  { args: ["txn", "-w", "fields"], stdin: 'create("new") = "0"\n\nput new 1\nput other 2\n\n\n' },
  { args: ["txn"], stdin: "\nput twice 1\nput twice 2\n\n\n" },
  ["get", "", "--prefix", "-w", "json"],
]);

declare(`${note}lease`, same, [
  ["lease", "grant", "2000"],
  ["lease", "grant", "1000"],
  ["lease", "list"],
  ["lease", "grant", "1"],
  ["put", "x", "1", "--lease", "L1"],
  ["lease", "timetolive", "L1"],
  // One key: etcd tells several in no order.
  ["lease", "timetolive", "L1", "--keys"],
  ["put", "y", "2", "--lease", "L1"],
  ["lease", "keep-alive", "L1", "--once"],
  ["lease", "revoke", "L1"],
  ["lease", "revoke", "L1"],
  ["lease", "timetolive", "L1"],
  ["lease", "keep-alive", "L1", "--once"],
  ["lease", "grant", "9000000001"],
  ["lease", "grant", "1000", "-w", "json"],
  ["get", "", "--prefix", "-w", "json"],
]);

declare(`${note}compaction, hashes, alarms, defrag, health`, same, [
  ...FILL,
  ["endpoint", "hashkv"],
  ["endpoint", "hashkv", "--rev", "4"],
  ["compaction", "5"],
  ["compaction", "5"],
  ["compaction", "50"],
  ["get", "b/1", "--rev", "4"],
  ["get", "b/1", "--rev", "5"],
  ["del", "a"],
  ["compaction", "9", "--physical"],
  ["put", "a", "again"],
  ["endpoint", "hashkv"],
  ["alarm", "list"],
  ["alarm", "disarm"],
  ["defrag"],
  ["endpoint", "health"],
  ["get", "", "--prefix", "-w", "json"],
]);

const DELETED_B1 = '"ModRevision" : 9\n"Version" : 0\n"Value" : ""\n"Lease" : 0\n';

/** That of the header tells how far the store is in etcd, and what was told in kvd. */
const HEADER_REVISION = /^"Revision" : \d+\n/gm;

/** What a watch says up to its last event. */
async function watched(etcdctl: Etcdctl, args: readonly string[], end: string): Promise<string> {
  const process = etcdctl.start("watch", ...args);
  const said = await process.output((stdout) => (stdout.endsWith(end) ? stdout : undefined));
  await process.kill();
  return withoutIds(said).replace(HEADER_REVISION, "");
}

declare(`${note}watch, from a revision on and as it happens`, async (t) => {
  const script = [...FILL, ["del", "b/1"], ["put", "b/4", "end"], ["del", "c"]];
  const tell = async (etcdctl: Etcdctl) => {
    const live = watched(
      etcdctl,
      ["--rev", "2", "", "--prefix", "--prev-kv"],
      "DELETE\nc\n\nc\n\n",
    );
    await transcript(etcdctl, script);
    const said = [await live];
    for (const [end, ...args] of [
      ["b/4\nend\n", "--rev", "1", "b/", "--prefix"],
      ["b/4\nend\n", "--rev", "4", "b/", "b0", "--prev-kv"],
      ["DELETE\nc\n\n", "--rev", "5", "", "--prefix"],
      ["DELETE\nb/1\n\n", "--rev", "2", "b/1"],
      [DELETED_B1, "--rev", "2", "b/1", "-w", "fields"],
    ] as const) {
      said.push(`$ watch ${args.join(" ")}\n${await watched(etcdctl, args, end)}`);
    }
    return said.join("");
  };
  const { kvd, etcd } = await startBoth(t);
  const expected = await tell(etcd);
  t.log(expected);
  t.is(await tell(kvd), expected);
});

declare(`${note}get, in protobuf`, async (t) => {
  const { kvd, etcd } = await startBoth(t);
  const kvs = async (etcdctl: Etcdctl) => {
    await transcript(etcdctl, FILL);
    const { stdoutBytes } = await etcdctl("get", "", "--prefix", "-w", "protobuf");
    return RangeResponse.decode(stdoutBytes).kvs;
  };
  const expected = await kvs(etcd);
  t.is(expected.length, 6);
  t.deepEqual(await kvs(kvd), expected);
});

async function ctl(t: ExecutionContext): Promise<Etcdctl> {
  return etcdctlFor(t, (await startKvd(t)).address);
}

async function countOf(etcdctl: Etcdctl, prefix: string): Promise<number> {
  const { stdout } = await etcdctl("get", prefix, "--prefix", "--keys-only", "-w", "json");
  return JSON.parse(stdout).count ?? 0;
}

const firstLine = (stdout: string) => /^(.+)\n/.exec(stdout)?.[1];

declare(`${note}lock: one holds it, the next waits for it`, async (t) => {
  const etcdctl = await ctl(t);
  const first = etcdctl.start("lock", "m");
  t.regex(await first.output(firstLine), /^m\/[0-9a-f]+$/);
  const second = etcdctl.start("lock", "m", "echo", "held by the second");
  await until("the second waits", async () => (await countOf(etcdctl, "m/")) === 2);
  t.is(second.stdout, "");
  first.signal("SIGINT");
  await first.ended;
  const { stdout, exitCode } = await second.ended;
  t.is(stdout, "held by the second\n");
  t.is(exitCode, 0);
  t.is(await countOf(etcdctl, "m/"), 0);
});

declare(`${note}elect: one leads, the next follows, and who listens hears of both`, async (t) => {
  const etcdctl = await ctl(t);
  const first = etcdctl.start("elect", "e", "one");
  const leader = (value: string) => (stdout: string) =>
    stdout.endsWith(`\n${value}\n`) ? stdout : undefined;
  t.regex(await first.output(leader("one")), /^e\/[0-9a-f]+\none\n$/);
  const listener = etcdctl.start("elect", "--listen", "e");
  await listener.output(leader("one"));
  const second = etcdctl.start("elect", "e", "two");
  await until("the second stands", async () => (await countOf(etcdctl, "e/")) === 2);
  first.signal("SIGINT");
  t.regex(await second.output(leader("two")), /^e\/[0-9a-f]+\ntwo\n$/);
  await listener.output(leader("two"));
  second.signal("SIGINT");
  t.is((await second.ended).exitCode, 0);
});

/** What can be seen of a store, but for its revisions. */
async function content(etcdctl: Etcdctl, prefix: string): Promise<string> {
  return (await etcdctl("get", prefix, "--prefix", "-w", "simple")).stdout;
}

const mirrors = test.macro(async (t, from: keyof Servers) => {
  const servers = await startBoth(t);
  const source = servers[from];
  const mirror = servers[from === "kvd" ? "etcd" : "kvd"];
  await transcript(source, FILL);
  source.start("make-mirror", "--dest-prefix", "", "--no-dest-prefix", mirror.address);
  const equal = async () => (await content(source, "")) === (await content(mirror, ""));
  await until("what was there is mirrored", equal);
  await source.reading("\nput b/5 five\nput b/6 six\ndel a\n\n\n", "txn");
  await source("del", "b/", "b/2");
  await source("put", "late", "value");
  await until("what comes is mirrored", equal);
  t.regex(await content(mirror, ""), /b\/5\nfive\n[\s\S]*late\nvalue/);
});

declare(`${note}make-mirror from a real etcd to kvd`, mirrors, "etcd");
declare(`${note}make-mirror from kvd to a real etcd`, mirrors, "kvd");

declare(`${note}who answers: status, members, and a leader that stays`, async (t) => {
  const etcdctl = await ctl(t);
  await transcript(etcdctl, FILL);
  const [member] = JSON.parse((await etcdctl("endpoint", "status", "-w", "json")).stdout);
  const { version, leader, dbSize, raftTerm, header } = member.Status;
  t.regex(version, /^3\.6\.\d+$/);
  t.is(leader, header.member_id);
  t.true(dbSize > 0 && raftTerm > 1);
  const { stdout } = await etcdctl("member", "list");
  const [id, state, name, , clients, learner] = stdout.trim().split(", ");
  t.is(BigInt(`0x${id}`), BigInt(/"member_id":(\d+)/.exec(await json(etcdctl))?.[1] ?? 0));
  t.is(state, "started");
  t.not(name, "");
  t.is(clients, `http://${etcdctl.address}`);
  t.is(learner, "false");
  const moved = await etcdctl("move-leader", id ?? "");
  t.is(moved.exitCode, 0, moved.stderr);
});

async function json(etcdctl: Etcdctl): Promise<string> {
  return (await etcdctl("endpoint", "status", "-w", "json")).stdout;
}

declare(`${note}snapshot save`, async (t) => {
  const etcdctl = await ctl(t);
  await transcript(etcdctl, FILL);
  const file = join(await temporaryFolder(t), "saved");
  const { exitCode, stdout, stderr } = await etcdctl("snapshot", "save", file);
  t.is(exitCode, 0, stderr);
  t.true(stdout.includes(`Snapshot saved at ${file}`));
  t.is((await stat(file)).size % 512, 32);
});
