// What tests of locks and elections share: a kvd, leases in it, and calls that can be withdrawn.

import type { ClientUnaryCall, ServiceError } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import type { Engine } from "../../../server/kv/engine.js";
import type { KvdOptions } from "../../support/kvd-server.js";
import { serveKvd } from "../../support/kvd-server.js";
import { until } from "../../support/take.js";

export async function serveLines(t: ExecutionContext, options: KvdOptions = {}) {
  const { server, engine } = await serveKvd(t, options);
  const lease = async (id: bigint) => {
    await engine.grant({ id, ttlMs: 60_000 });
    return id;
  };
  const waiting = (count: number) => until(`${count} wait`, () => waitersAre(engine, count));
  return { server, engine, lease, keys: () => keysOf(engine), waiting };
}

async function waitersAre(engine: Engine, count: number): Promise<boolean> {
  return (await engine.status()).watchers === count;
}

/** All keys of the store, in the order of their creation. */
async function keysOf(engine: Engine): Promise<string[]> {
  const { entries } = await engine.range({
    selector: { kind: "all" },
    revision: 0,
    order: "ascending",
    limit: 0,
    keysOnly: true,
    count: "no",
    delimiter: new Uint8Array(0),
    resume: undefined,
    maxBytes: Number.POSITIVE_INFINITY,
  });
  return [...entries]
    .sort((a, b) => a.createRevision - b.createRevision)
    .map(({ key }) => Buffer.from(key).toString());
}

export interface Asked<Response> {
  readonly answer: Promise<Response>;
  withdraw(): void;
}

/** A call that is under way. */
export function ask<Response>(
  start: (done: (error: ServiceError | null, response: Response) => void) => ClientUnaryCall,
): Asked<Response> {
  let call: ClientUnaryCall | undefined;
  const answer = new Promise<Response>((resolve, reject) => {
    call = start((error, response) => (error === null ? resolve(response) : reject(error)));
  });
  answer.catch(() => {});
  return { answer, withdraw: () => call?.cancel() };
}

/** Code and text of the refusal that a call ends with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { code, details } = error as ServiceError;
    return `${code} ${details}`;
  }
  throw new Error("it was not refused");
}
