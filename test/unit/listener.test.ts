// Listening sockets: real addresses, and what happens to the file of a unix socket.

import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
  AddressError,
  parseListenAddress,
  showListenAddress,
} from "../../server/listen-address.js";
import { openListener } from "../../server/listener.js";

async function open(t: ExecutionContext, address: string) {
  const listener = await openListener(parseListenAddress(address), (socket) => socket.destroy());
  t.teardown(() => listener.close());
  return listener;
}

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "kvd-"));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

test("port 0 becomes a real port", async (t) => {
  const { address } = await open(t, "127.0.0.1:0");
  t.regex(showListenAddress(address), /^127\.0\.0\.1:[1-9]\d*$/);
});

test("an IPv6 address keeps its brackets", (t) => {
  t.is(showListenAddress(parseListenAddress("[::1]:7856")), "[::1]:7856");
});

test("an address in use is refused by its name", async (t) => {
  const { address } = await open(t, "127.0.0.1:0");
  const error = await t.throwsAsync(open(t, showListenAddress(address)), {
    instanceOf: AddressError,
  });
  t.like(error?.cause, { code: "EADDRINUSE" });
  t.true(error?.message.includes(showListenAddress(address)));
});

test("a unix socket's file goes with its listener", async (t) => {
  const path = join(await folder(t), "kvd.sock");
  const listener = await open(t, `unix:${path}`);
  t.true(existsSync(path));
  await listener.close();
  await listener.close();
  t.false(existsSync(path));
});

test("a unix socket that somebody listens on is left alone", async (t) => {
  const path = join(await folder(t), "kvd.sock");
  await open(t, `unix:${path}`);
  await t.throwsAsync(open(t, `unix:${path}`), { instanceOf: AddressError });
  const socket = connect({ path });
  t.teardown(() => socket.destroy());
  await t.notThrowsAsync(once(socket, "connect"));
});

test("a unix socket whose server was killed is taken over", async (t) => {
  const path = join(await folder(t), "kvd.sock");
  const script = join(await folder(t), "listen.mjs");
  writeFileSync(
    script,
    `import net from "node:net";
     net.createServer().listen(process.argv[2], () => process.send("listening"));`,
  );
  const child = fork(script, [path]);
  await once(child, "message");
  child.kill("SIGKILL");
  await once(child, "exit");
  t.true(existsSync(path));
  await t.notThrowsAsync(open(t, `unix:${path}`));
});

test("a file that is no socket is left alone", async (t) => {
  const path = join(await folder(t), "kvd.sock");
  writeFileSync(path, "precious");
  await t.throwsAsync(open(t, `unix:${path}`), { instanceOf: AddressError });
  t.true(existsSync(path));
});

test("a directory that does not exist is told", async (t) => {
  const path = join(await folder(t), "nothing", "kvd.sock");
  const error = await t.throwsAsync(open(t, `unix:${path}`), { instanceOf: AddressError });
  t.true(error?.message.includes(path));
});
