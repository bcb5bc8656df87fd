// The standard health service, through grpc-js.

import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import {
  type HealthCheckResponse,
  HealthClient,
  type HealthListResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/grpc/grpc/health/v1/health.js";
import { Health } from "../../../server/grpc/health.js";
import { connectClient, logStream, serveServices, settle } from "../../support/grpc-service.js";

async function serveHealth(t: ExecutionContext) {
  const health = new Health(["kvd.v1.KvService"]);
  const address = await serveServices(t, [
    { definition: HealthService, handlers: health.handlers },
  ]);
  const client = connectClient(t, address, HealthClient);
  const check = (service: string) =>
    settle<HealthCheckResponse>((done) => client.check({ service }, done));
  const watch = (service: string) => {
    const call = client.watch({ service });
    t.teardown(() => call.cancel());
    return logStream<HealthCheckResponse>(call);
  };
  return { health, client, check, watch };
}

test("Check tells the state of the whole server and of each service", async (t) => {
  const { health, check } = await serveHealth(t);
  t.is((await check("")).status, ServingStatus.SERVING);
  health.set("not serving");
  t.is((await check("")).status, ServingStatus.NOT_SERVING);
  t.is((await check("kvd.v1.KvService")).status, ServingStatus.NOT_SERVING);
});

test("Check of an unknown service is NOT_FOUND", async (t) => {
  const { check } = await serveHealth(t);
  const error = await t.throwsAsync(() => check("kvd.v1.Nothing"));
  t.like(error, { code: status.NOT_FOUND });
});

test("List names the whole server and each service", async (t) => {
  const { client } = await serveHealth(t);
  const { statuses } = await settle<HealthListResponse>((done) => client.list({}, done));
  t.deepEqual(Object.keys(statuses).sort(), ["", "kvd.v1.KvService"]);
  t.is(statuses[""]?.status, ServingStatus.SERVING);
});

test("Watch gives the state at once and every change, and not the same state twice", async (t) => {
  const { health, watch } = await serveHealth(t);
  const log = watch("kvd.v1.KvService");
  await log.received(1);
  health.set("serving");
  health.set("not serving");
  await log.received(2);
  health.set("serving");
  const states = (await log.received(3)).map((message) => message.status);
  t.deepEqual(states, [ServingStatus.SERVING, ServingStatus.NOT_SERVING, ServingStatus.SERVING]);
});

test("Watch of an unknown service says so and stays", async (t) => {
  const { health, watch } = await serveHealth(t);
  const unknown = watch("kvd.v1.Nothing");
  const known = watch("");
  await unknown.received(1);
  await known.received(1);
  health.set("not serving");
  await known.received(2);
  t.deepEqual(unknown.messages, [{ status: ServingStatus.SERVICE_UNKNOWN }]);
});

test("the end of the server ends every Watch, after the last change", async (t) => {
  const { health, watch } = await serveHealth(t);
  const log = watch("");
  await log.received(1);
  health.set("not serving");
  health.close();
  t.is((await log.status).code, status.UNAVAILABLE);
  t.deepEqual(log.messages.at(-1), { status: ServingStatus.NOT_SERVING });
  t.is((await watch("").status).code, status.UNAVAILABLE);
});
