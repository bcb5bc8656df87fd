// channelz, which tells of connections and counts calls: served to who asks the server for it.

import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { Client, credentials, getChannelzServiceDefinition, status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../../client/index.js";
import { CallCounter } from "../../../server/grpc/call-figures.js";
import { addressBytes, channelzService } from "../../../server/grpc/channelz.js";
import type { GrpcService, UnaryHandler } from "../../../server/grpc/service.js";
import { systemClock } from "../../../server/lib/clock.js";
import { createServer, type ServerOptions } from "../../../server/server.js";
import { framed } from "../../support/echo-service.js";
import { serveCalls } from "../../support/grpc-service.js";
import { ManualClock } from "../../support/manual-clock.js";

interface Figures {
  readonly [name: string]: string;
}

interface Ref {
  readonly socket_id: string;
  readonly name: string;
}

interface TcpAddress {
  readonly tcpip_address: { readonly ip_address: Buffer; readonly port: number };
}

interface Socket {
  readonly ref: Ref;
  readonly local: TcpAddress;
  readonly remote: TcpAddress;
  readonly data: Figures & { readonly local_flow_control_window: { readonly value: string } };
}

/** All that any method answers. */
interface Answer {
  readonly server: readonly {
    readonly ref: { readonly server_id: string };
    readonly data: Figures;
  }[] & {
    readonly data: Figures;
  };
  readonly channel: readonly unknown[];
  readonly socket_ref: readonly Ref[];
  readonly socket: Socket;
  readonly end: boolean;
}

/** What a method answers, or the code of its status. */
function ask(client: Client, name: string, request: object = {}): Promise<Answer | number> {
  const method = getChannelzServiceDefinition()[name];
  if (method === undefined) throw new Error(`grpc-js has no ${name}`);
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
      resolve(error === null ? (answer as Answer) : error.code),
    );
  });
}

async function answerOf(client: Client, name: string, request: object = {}): Promise<Answer> {
  const answer = await ask(client, name, request);
  if (typeof answer === "number") throw new Error(`status ${answer}`);
  return answer;
}

/** On a connection of its own, whatever else this process has open. */
function newClient(t: ExecutionContext, address: string): Client {
  const options = { "grpc.use_local_subchannel_pool": 1 };
  const client = new Client(address, credentials.createInsecure(), options);
  t.teardown(() => client.close());
  return client;
}

/** What GetServers answers after one put, or the code of its status. */
async function serversOf(t: ExecutionContext, options: ServerOptions) {
  const server = await createServer({ ...options, shutdownGraceMs: 0 });
  t.teardown(() => server.close());
  const kvd = connect(server.address);
  await kvd.put("a", "1");
  await kvd.close();
  return await ask(newClient(t, server.address), "GetServers");
}

test("channelz counts calls when it is asked for", async (t) => {
  const answer = await serversOf(t, { channelz: true });
  if (typeof answer === "number") throw new Error(`status ${answer}`);
  t.true(answer.server.some(({ data }) => Number(data["calls_succeeded"]) >= 1));
});

test("channelz is not served by default", async (t) => {
  t.is(await serversOf(t, {}), status.UNIMPLEMENTED);
});

const same = (bytes: Buffer) => bytes;
const shape = { requestStream: false, responseStream: false };
const codecs = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

/** "fail" is failed, "wait" waits for ever, "big" is answered with much, all else is given back. */
const ECHO: GrpcService = {
  definition: { once: { path: "/test.Echo/Once", ...shape, ...codecs } },
  handlers: {
    once: ((call, answer) => {
      if (`${call.request}` === "fail") answer({ code: status.ABORTED, details: "as asked" });
      else if (`${call.request}` === "big") answer(null, Buffer.alloc(1024 * 1024));
      else if (`${call.request}` !== "wait") answer(null, call.request);
    }) satisfies UnaryHandler<Buffer, Buffer>,
  },
};

async function serveEcho(t: ExecutionContext) {
  const clock = new ManualClock({ wallMs: 1_700_000_000_250 });
  const counter = new CallCounter(clock);
  const services = [ECHO, channelzService(counter)];
  const { address } = await serveCalls(t, services, { counts: counter });
  const watcher = newClient(t, address);
  const echo = newClient(t, address);
  const call = (text: string, path = "/test.Echo/Once") => {
    let cancel = () => {};
    const code = new Promise<number>((resolve) => {
      const request = Buffer.from(text);
      const begun = echo.makeUnaryRequest(path, same, same, request, (error) =>
        resolve(error?.code ?? status.OK),
      );
      cancel = () => begun.cancel();
    });
    return { code, cancel };
  };
  /** The server's figures, without the question itself. */
  const all = async () => {
    const { data } = (await answerOf(watcher, "GetServer", { server_id: 1 })).server;
    return data;
  };
  return { address, clock, counter, watcher, echo, call, all };
}

test("each call is counted once: well ended, failed, unknown, canceled or cut", async (t) => {
  const { address, counter, call } = await serveEcho(t);
  await call("a").code;
  await call("b").code;
  t.like(counter.all, { started: 2, succeeded: 2, failed: 0 });
  t.is(await call("fail").code, status.ABORTED);
  t.like(counter.all, { started: 3, succeeded: 2, failed: 1 });
  t.is(await call("", "/test.Echo/None").code, status.UNIMPLEMENTED);
  t.like(counter.all, { started: 4, succeeded: 2, failed: 2 });
  const waiting = call("wait");
  while (counter.all.started < 5) await systemClock.yieldTurn();
  waiting.cancel();
  t.is(await waiting.code, status.CANCELLED);
  while (counter.all.failed < 3) await systemClock.yieldTurn();
  t.like(counter.all, { started: 5, succeeded: 2, failed: 3 });
  const session = connectHttp2(`http://${address}`).on("error", () => {});
  const head = { ":method": "POST", ":path": "/test.Echo/Once" };
  session.request({ ...head, "content-type": "application/grpc" }).on("error", () => {});
  while (counter.all.started < 6) await systemClock.yieldTurn();
  session.destroy();
  while (counter.all.failed < 4) await systemClock.yieldTurn();
  t.like(counter.all, { started: 6, succeeded: 2, failed: 4 });
});

test("a call whose answer its peer did not take has failed", async (t) => {
  const { address, counter } = await serveEcho(t);
  const session = connectHttp2(`http://${address}`);
  t.teardown(() => session.destroy());
  const head = { ":method": "POST", ":path": "/test.Echo/Once" };
  const stream = session.request({ ...head, "content-type": "application/grpc" }).pause();
  stream.end(framed("big"));
  await once(stream, "response");
  t.like(counter.all, { started: 1, succeeded: 0, failed: 0 });
  stream.close(constants.NGHTTP2_CANCEL);
  while (counter.all.failed === 0) await systemClock.yieldTurn();
  t.like(counter.all, { started: 1, succeeded: 0, failed: 1 });
});

test("a request that is none of gRPC is a call that has failed", async (t) => {
  const { address, counter } = await serveEcho(t);
  const session = connectHttp2(`http://${address}`);
  t.teardown(() => session.destroy());
  await once(session.request({ ":path": "/" }).resume(), "close");
  t.like(counter.all, { started: 1, succeeded: 0, failed: 1 });
});

test("the server tells when the last call began", async (t) => {
  const { clock, call, all } = await serveEcho(t);
  await call("a").code;
  clock.advance(1500);
  t.like(await all(), {
    calls_started: "2",
    calls_succeeded: "1",
    calls_failed: "0",
    last_call_started_timestamp: { seconds: "1700000001", nanos: 750_000_000 },
  });
});

test("a socket tells of its two ends and of what came and went", async (t) => {
  const { address, counter, watcher, call } = await serveEcho(t);
  await call("a").code;
  await call("fail").code;
  const [echo] = counter.connections;
  const id = echo?.id;
  const { socket } = await answerOf(watcher, "GetSocket", { socket_id: id });
  t.is(socket.ref.socket_id, `${id}`);
  t.is(`127.0.0.1:${socket.remote.tcpip_address.port}`, socket.ref.name);
  t.deepEqual([...socket.local.tcpip_address.ip_address], [127, 0, 0, 1]);
  t.is(`127.0.0.1:${socket.local.tcpip_address.port}`, address);
  t.like(socket.data, {
    streams_started: "2",
    streams_succeeded: "1",
    streams_failed: "1",
    messages_received: "2",
    messages_sent: "1",
    keep_alives_sent: "0",
  });
  t.true(Number(socket.data.local_flow_control_window.value) > 0);
});

test("sockets come in pages, by their ids", async (t) => {
  const { address, watcher, counter } = await serveEcho(t);
  for (const text of ["a", "b", "c"]) {
    const client = newClient(t, address);
    const bytes = Buffer.from(text);
    await new Promise((resolve) =>
      client.makeUnaryRequest("/test.Echo/Once", same, same, bytes, resolve),
    );
  }
  const page = async (start: number, max: number) => {
    const request = { server_id: 1, start_socket_id: start, max_results: max };
    const { socket_ref: refs, end } = await answerOf(watcher, "GetServerSockets", request);
    return { ids: refs.map((ref) => Number(ref.socket_id)), end };
  };
  t.deepEqual(await page(0, 2), { ids: [1, 2], end: false });
  t.deepEqual(await page(3, 2), { ids: [3, 4], end: true });
  t.deepEqual(await page(2, 0), { ids: [2, 3, 4], end: true });
  t.deepEqual(await page(2, 1_000_000), { ids: [2, 3, 4], end: true });
  t.deepEqual(await page(5, 2), { ids: [], end: true });
  const [first] = counter.connections;
  first?.connection.socket.destroy();
  while ([...counter.connections].length > 3) await systemClock.yieldTurn();
  t.deepEqual(await page(0, 0), { ids: [2, 3, 4], end: true });
});

test("the one server has the id 1, and there are no channels", async (t) => {
  const { watcher } = await serveEcho(t);
  const first = await answerOf(watcher, "GetServers", { start_server_id: 1 });
  t.deepEqual(
    first.server.map(({ ref }) => ref.server_id),
    ["1"],
  );
  t.like(await answerOf(watcher, "GetServers", { start_server_id: 2 }), { server: [], end: true });
  t.like(await answerOf(watcher, "GetTopChannels"), { channel: [], end: true });
});

test("what is not there is NOT_FOUND, and a page of less than nothing is refused", async (t) => {
  const { watcher } = await serveEcho(t);
  t.is(await ask(watcher, "GetServer", { server_id: 2 }), status.NOT_FOUND);
  t.is(await ask(watcher, "GetServerSockets", { server_id: 2 }), status.NOT_FOUND);
  t.is(await ask(watcher, "GetSocket", { socket_id: 99 }), status.NOT_FOUND);
  t.is(await ask(watcher, "GetChannel", { channel_id: 1 }), status.NOT_FOUND);
  t.is(await ask(watcher, "GetSubchannel", { subchannel_id: 1 }), status.NOT_FOUND);
  const none = { server_id: 1, max_results: -1 };
  t.is(await ask(watcher, "GetServerSockets", none), status.INVALID_ARGUMENT);
});

test("addresses are four bytes or sixteen", (t) => {
  t.deepEqual([...addressBytes("192.168.0.7")], [192, 168, 0, 7]);
  t.deepEqual([...addressBytes("::ffff:10.0.0.1")], [10, 0, 0, 1]);
  t.is(addressBytes("::1").toString("hex"), `${"0".repeat(31)}1`);
  t.is(addressBytes("2001:db8::ff00:42:8329").toString("hex"), "20010db8000000000000ff0000428329");
  t.is(addressBytes("fe80::1%eth0").toString("hex"), "fe800000000000000000000000000001");
  t.is(addressBytes("1:2:3:4:5:6:7:8").toString("hex"), "00010002000300040005000600070008");
});
