// createServer(): addresses, the stop, and who closes what.

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import {
  type HealthCheckResponse,
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/grpc/health/v1/health.js";
import {
  GetRequest,
  type GetResponse,
  KvServiceClient,
  PipelineRequest,
  type PipelineResponse,
} from "../../gen/grpc/kvd/v1/kv.js";
import { type KeepAliveResponse, LeaseServiceClient } from "../../gen/grpc/kvd/v1/lease.js";
import type { WatchResponse } from "../../gen/grpc/kvd/v1/watch.js";
import { openMemoryEngine } from "../../server/engines/memory.js";
import type { Engine } from "../../server/kv/engine.js";
import { KvdError } from "../../server/kv/errors.js";
import { defaultLimits } from "../../server/kv/limits.js";
import { systemClock } from "../../server/lib/clock.js";
import { AddressError } from "../../server/listen-address.js";
import { removePortFile, writePortFile } from "../../server/port-file.js";
import { createServer, type ServerOptions } from "../../server/server.js";
import { connectClient, errorInfoOf, logStream, settle } from "../support/grpc-service.js";
import { watchRequest } from "../support/kvd-server.js";

async function serve(t: ExecutionContext, options: ServerOptions = {}) {
  const server = await createServer({ shutdownGraceMs: 5000, ...options });
  t.teardown(() => server.close());
  return server;
}

function openEngine() {
  return openMemoryEngine({ limits: defaultLimits(), clock: systemClock });
}

function get(client: KvServiceClient, key = "a"): Promise<GetResponse> {
  const request = GetRequest.create({ keyForm: { $case: "key", value: key } });
  return settle<GetResponse>((done) => client.get(request, done));
}

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "kvd-"));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

/** An engine whose get() takes as long as the test wants. */
async function slowEngine(t: ExecutionContext) {
  const engine = await openEngine();
  t.teardown(() => engine.close());
  let begin = () => {};
  let finish = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const slow: Engine = Object.create(engine, {
    get: {
      value: async (command: Parameters<Engine["get"]>[0]) => {
        begin();
        await finished;
        return engine.get(command);
      },
    },
    prompt: { value: undefined },
    storeId: { value: engine.storeId },
    endWatches: { value: () => engine.endWatches() },
    watch: { value: (spec: Parameters<Engine["watch"]>[0]) => engine.watch(spec) },
  });
  return { engine: slow, begun, finish };
}

test("without options it listens on a free port of loopback", async (t) => {
  const server = await serve(t);
  t.is(server.address, `127.0.0.1:${server.port}`);
  t.deepEqual(server.addresses, [server.address]);
  t.is((await get(connectClient(t, server.address, KvServiceClient))).revision, 1n);
});

test("it serves every address that it is given, a unix socket too", async (t) => {
  const path = join(await folder(t), "kvd.sock");
  const server = await serve(t, { listen: [`unix:${path}`, "127.0.0.1:0", "[::1]:0"] });
  t.is(server.address, `unix:${path}`);
  t.is(server.addresses.length, 3);
  t.is(server.addresses[1], `127.0.0.1:${server.port}`);
  for (const address of server.addresses) {
    t.is((await get(connectClient(t, address, KvServiceClient))).revision, 1n);
  }
  await server.close();
  t.false(existsSync(path));
});

test("an address in use is refused, and nothing stays open", async (t) => {
  const path = join(await folder(t), "kvd.sock");
  const { address } = await serve(t);
  const listen = [`unix:${path}`, address];
  const error = await t.throwsAsync(createServer({ listen }), { instanceOf: AddressError });
  t.true(error?.message.includes(address) && error.message.includes("in use"));
  t.false(existsSync(path));
});

test("an address that other machines reach is refused unless that is meant", async (t) => {
  await t.throwsAsync(createServer({ listen: "0.0.0.0:0" }), { instanceOf: AddressError });
  const server = await serve(t, { listen: "0.0.0.0:0", insecure: true });
  t.true((server.port ?? 0) > 0);
});

test("a malformed address, and none at all, are refused", async (t) => {
  await t.throwsAsync(createServer({ listen: "7856" }), { instanceOf: AddressError });
  await t.throwsAsync(createServer({ listen: [] }), { instanceOf: AddressError });
});

test("limits that are not given have their defaults", async (t) => {
  const server = await serve(t, { limits: { keyMaxBytes: 3 } });
  const client = connectClient(t, server.address, KvServiceClient);
  await t.notThrowsAsync(get(client, "abc"));
  await t.throwsAsync(get(client, "abcd"), { code: status.INVALID_ARGUMENT });
});

test("close() twice, or at once, is one stop", async (t) => {
  const server = await serve(t);
  await Promise.all([server.close(), server.close(), server[Symbol.asyncDispose]()]);
  await server.close();
  t.pass();
});

test("after close() nobody connects", async (t) => {
  const server = await serve(t);
  const client = connectClient(t, server.address, KvServiceClient);
  await get(client);
  await server.close();
  await t.throwsAsync(get(client), { code: status.UNAVAILABLE });
  await t.notThrowsAsync(serve(t, { listen: server.address }));
});

test("an engine that was opened here is closed, one that was passed in is not", async (t) => {
  const own = await serve(t);
  await own.close();
  const error = await t.throwsAsync(own.engine.status(), { instanceOf: KvdError });
  t.is(error?.reason, "SHUTTING_DOWN");

  const engine = await openEngine();
  t.teardown(() => engine.close());
  const server = await serve(t, { engine });
  t.is(server.engine, engine);
  await server.close();
  await t.notThrowsAsync(engine.status());
});

test("a stop ends open watches with the revision to go on with", async (t) => {
  const server = await serve(t);
  const client = connectClient(t, server.address, KvServiceClient);
  const log = logStream<WatchResponse>(client.watch(watchRequest()));
  await log.received(1);
  await server.close();
  const end = await log.status;
  t.is(end.code, status.UNAVAILABLE);
  t.like(errorInfoOf(end), { reason: "SHUTTING_DOWN", metadata: { resume_revision: "2" } });
});

test("a stop ends idle pipelines, keep-alives and streams of watches", async (t) => {
  const server = await serve(t);
  const client = connectClient(t, server.address, KvServiceClient);
  const leases = connectClient(t, server.address, LeaseServiceClient);
  const pipeline = client.pipeline();
  const answers = logStream<PipelineResponse>(pipeline);
  pipeline.write(PipelineRequest.create({ id: 1n }));
  const keepAlive = leases.keepAlive();
  const renewals = logStream<KeepAliveResponse>(keepAlive);
  keepAlive.write({ id: 7n });
  await Promise.all([answers.received(1), renewals.received(1)]);
  await server.close();
  for (const { status: ended } of [answers, renewals]) {
    t.is(errorInfoOf(await ended)?.reason, "SHUTTING_DOWN");
  }
});

test("a stop waits for running calls, and health says NOT_SERVING meanwhile", async (t) => {
  const { engine, begun, finish } = await slowEngine(t);
  const server = await serve(t, { engine });
  const health = connectClient(t, server.address, HealthClient);
  const states = logStream<HealthCheckResponse>(health.watch({ service: "kvd.v1.KvService" }));
  await states.received(1);
  const answer = get(connectClient(t, server.address, KvServiceClient));
  await begun;
  const closed = server.close();
  await states.status;
  t.is(states.messages.at(-1)?.status, ServingStatus.NOT_SERVING);
  finish();
  t.is((await answer).revision, 1n);
  await closed;
});

test("a call that does not end is cut after the grace", async (t) => {
  const { engine, begun } = await slowEngine(t);
  const server = await serve(t, { engine, shutdownGraceMs: 50 });
  const answer = get(connectClient(t, server.address, KvServiceClient));
  answer.catch(() => {});
  await begun;
  await server.close();
  await t.throwsAsync(answer);
});

test("frequent pings of a client do no harm", async (t) => {
  const server = await serve(t);
  const session = connect(`http://${server.address}`);
  t.teardown(() => session.destroy());
  await once(session, "connect");
  for (let round = 0; round < 500; round += 1) {
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error ? reject(error) : resolve()));
    });
  }
  t.false(session.destroyed);
});

test("HTTP/1 is answered beside gRPC, and ends with the server", async (t) => {
  const server = await serve(t);
  const answer = await fetch(`http://${server.address}/health`);
  t.deepEqual(await answer.json(), { health: "true", reason: "" });
  t.is((await get(connectClient(t, server.address, KvServiceClient))).revision, 1n);
  await server.close();
  await t.throwsAsync(fetch(`http://${server.address}/health`));
});

test("the port file holds the port, or the socket's path, and is removed", async (t) => {
  const path = join(await folder(t), "kvd.port");
  await writePortFile(path, "127.0.0.1:7856");
  t.is(readFileSync(path, "utf8"), "7856\n");
  await writePortFile(path, "unix:/run/kvd.sock");
  t.is(readFileSync(path, "utf8"), "/run/kvd.sock\n");
  await removePortFile(path);
  await removePortFile(path);
  t.false(existsSync(path));
});

test("somebody else's port is refused by its name", async (t) => {
  const other = createTcpServer().listen(0, "127.0.0.1");
  t.teardown(() => other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { readonly port: number };
  const error = await t.throwsAsync(createServer({ listen: `127.0.0.1:${port}` }));
  t.true(error?.message.includes(`127.0.0.1:${port}`));
});
