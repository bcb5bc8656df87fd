// Peers that hang up while bytes of theirs wait behind a call that goes on: nothing of it stays.

import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { connectRaw, post } from "../../support/http-peer.js";
import { serveKvd } from "../../support/kvd-server.js";
import { ManualClock } from "../../support/manual-clock.js";

const KEY = Buffer.from("a").toString("base64");
const LOCK = "/v3/lock/lock";

function head(path: string, length: number): string {
  const headers = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}`;
  return `POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n`;
}

/** More than a connection reads of a request that nobody takes. */
const HALF_REQUEST = `${head("/v3/kv/put", 1_000_000)}{${" ".repeat(300_000)}`;

/** A call on a connection of its own, with half a request behind it. */
async function begin(t: ExecutionContext, address: string, path: string, body: unknown) {
  const peer = await connectRaw(t, address);
  const text = JSON.stringify(body);
  peer.socket.write(head(path, text.length) + text);
  const hangUp = async () => {
    await new Promise<void>((written) => peer.socket.write(HALF_REQUEST, () => written()));
    peer.socket.destroy();
    await once(peer.socket, "close");
  };
  return { ...peer, hangUp };
}

async function serve(t: ExecutionContext) {
  const clock = new ManualClock();
  const { server, engine } = await serveKvd(t, { clock });
  const comesTo = async (look: () => Promise<boolean>, passingMs = 0) => {
    for (let round = 0; round < 200; round += 1) {
      if (await look()) return true;
      await clock.settle();
      clock.advance(passingMs);
    }
    return false;
  };
  return { engine, address: server.address, comesTo };
}

test("a watch is freed", async (t) => {
  const { engine, address, comesTo } = await serve(t);
  const watchers = async (count: number) => (await engine.status()).watchers === count;
  const create_request = { key: KEY };
  const { until, hangUp } = await begin(t, address, "/v3/watch", { create_request });
  await until(/created/);
  t.true(await watchers(1));
  await hangUp();
  t.true(await comesTo(() => watchers(0), 60_000));
});

test("one who waits for a lock is freed", async (t) => {
  const { engine, address, comesTo } = await serve(t);
  const lease = async (ID: number) => {
    await post(address, "/v3/lease/grant", { ID, TTL: 1_000_000 });
    return { name: KEY, lease: ID };
  };
  await post(address, LOCK, await lease(7));
  const { hangUp } = await begin(t, address, LOCK, await lease(8));
  const keys = async (count: number) => (await engine.status()).keys === count;
  t.true(await comesTo(() => keys(2)));
  await hangUp();
  t.true(await comesTo(() => keys(1), 60_000));
});
