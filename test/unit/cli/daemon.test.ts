// The parts of the daemon's start: who takes the turn, who has the lock, what a log says.

import { existsSync, linkSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "ava";
import { inodeOfSocket, lockHolder } from "../../../client/cli/daemon/lock-holder.js";
import { reasonInLog, reasonInText } from "../../../client/cli/daemon/log-reason.js";
import { socketOf } from "../../../client/cli/daemon/probe.js";
import { resultFromText, takeStartTurn } from "../../../client/cli/daemon/start-turn.js";
import { lockFolder } from "../../../server/wal/folder-lock.js";
import { temporaryFolder } from "../../support/process.js";

const { signal } = new AbortController();

test("one takes the turn to start, the others are told how it ended", async (t) => {
  const path = join(await temporaryFolder(t), "start.sock");
  const first = await takeStartTurn(path, signal);
  const others = await Promise.all([1, 2, 3].map(() => takeStartTurn(path, signal)));
  t.true(first.kind === "starts");
  if (first.kind !== "starts") return;
  const failed = { kind: "failed", text: "no room", exitCode: 3 } as const;
  const results = others.map((turn) => (turn.kind === "waits" ? turn.result : undefined));
  // A connection that is on its way when the turn ends is closed unheard, and tries again.
  first.end(failed);
  for (const result of results) {
    const told = await result;
    t.true(told === undefined || (told.kind === "failed" && told.text === failed.text));
  }
  t.false(existsSync(path));
  const next = await takeStartTurn(path, signal);
  t.is(next.kind, "starts");
  if (next.kind === "starts") next.end(undefined);
});

test("a socket that a killed starter left behind is taken over", async (t) => {
  const path = join(await temporaryFolder(t), "start.sock");
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once("listening", resolve));
  const kept = `${path}.kept`;
  linkSync(path, kept);
  await new Promise((resolve) => server.close(resolve));
  renameSync(kept, path);
  const turn = await takeStartTurn(path, signal);
  t.is(turn.kind, "starts");
  if (turn.kind === "starts") turn.end({ kind: "ready" });
});

test("where there can be no socket, everybody starts, and the lock decides", async (t) => {
  const folder = await temporaryFolder(t);
  for (const path of [join(folder, "x".repeat(200)), join(folder, "absent/start.sock")]) {
    for (const _ of [1, 2]) t.is((await takeStartTurn(path, signal)).kind, "starts");
  }
  t.deepEqual(readdirSync(folder), []);
});

test("who waits for a start leaves when it is told to", async (t) => {
  const path = join(await temporaryFolder(t), "start.sock");
  const leader = await takeStartTurn(path, signal);
  const { signal: own, abort } = abortable();
  const turn = await takeStartTurn(path, own);
  t.true(turn.kind === "waits");
  abort();
  if (turn.kind === "waits") t.is(await turn.result, undefined);
  if (leader.kind === "starts") leader.end(undefined);
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

test("what another version tells of a start, and is not understood, is nothing", (t) => {
  t.deepEqual(resultFromText('{"kind":"ready"}'), { kind: "ready" });
  const failed = { kind: "failed", text: "no", exitCode: 3 } as const;
  t.deepEqual(resultFromText(JSON.stringify(failed)), failed);
  for (const text of ["", "{", "null", "7", '{"kind":"failed"}', '{"kind":"later"}']) {
    t.is(resultFromText(text), undefined, text);
  }
  t.is(resultFromText('{"kind":"failed","text":"no","exitCode":17}'), undefined);
});

test("the holder of a lock is the process that has it, and nobody once it is released", async (t) => {
  const folder = await temporaryFolder(t);
  t.is(await lockHolder(folder), undefined);
  t.is(await lockHolder(join(folder, "absent")), undefined);
  const lock = await lockFolder(folder);
  t.deepEqual(await lockHolder(folder), { pid: process.pid });
  await lock.release();
  t.is(await lockHolder(folder), undefined);
});

test("a socket of another name is not the lock", (t) => {
  const line = (path: string) => `00: 00000002 00000000 00010000 0001 01 77 ${path}`;
  t.is(inodeOfSocket(line("@kvd-1-2"), "kvd-1-2"), "77");
  t.is(inodeOfSocket(line("@kvd-1-2@@@@"), "kvd-1-2"), "77");
  for (const path of ["@kvd-1-22", "kvd-1-2", "/kvd-1-2", "@x@kvd-1-2", ""]) {
    t.is(inodeOfSocket(`Num\n${line(path)}\n`, "kvd-1-2"), undefined, path);
  }
});

test("the reason of an end is the last fatal line, else the last text", (t) => {
  const fatal = (msg: string) => JSON.stringify({ level: "fatal", msg });
  t.is(reasonInText(`${fatal("one")}\n${fatal("two")}\n{"level":"info","msg":"x"}\n`), "two");
  t.is(reasonInText('error: unknown option "--x"\n'), 'unknown option "--x"');
  t.is(reasonInText('{"level":"info","msg":"x"}\n'), undefined);
  t.is(reasonInText('{"level":"fatal","msg":"a","err":{"message":"b"}}'), "a: b");
  t.is(reasonInText("{ torn"), undefined);
  t.is(reasonInText('{}\n{"level":"fatal"}\nlast words\n'), "last words");
});

test("only what was written since then tells why, also in a log that was begun anew", async (t) => {
  const folder = await temporaryFolder(t);
  const log = join(folder, "log");
  writeFileSync(log, '{"level":"fatal","msg":"old"}\n{"level":"fatal","msg":"new"}\n');
  t.is(await reasonInLog(log, 30), "new");
  t.is(await reasonInLog(log, 60), undefined);
  t.is(await reasonInLog(log, 1_000), "new");
  t.is(await reasonInLog(join(folder, "absent"), 0), undefined);
});

test("addresses are taken apart as the client takes them", (t) => {
  t.deepEqual(socketOf("127.0.0.1:1"), { host: "127.0.0.1", port: 1 });
  t.deepEqual(socketOf("[::1]:2"), { host: "::1", port: 2 });
  t.deepEqual(socketOf("http://host:3/"), { host: "host", port: 3 });
  t.deepEqual(socketOf("unix:/a/b"), { path: "/a/b" });
});
