// Gets and puts as load: single calls, batches, or messages of a pipeline, by many connections.
//
// A client of a pipeline makes all calls of a request in one tick, so that they travel as one
// message, and has several requests under way.

import type { BatchOperation, Kvd } from "../../index.js";
import { type KeySpace, mixOf } from "./key-space.js";
import type { Pace } from "./pace.js";
import type { Tally } from "./tally.js";
import type { Workload } from "./workload.js";

export interface Load {
  readonly workload: Workload;
  readonly keys: KeySpace;
  readonly pace: Pace;
  readonly tally: Tally;
}

/** What became of a request: how many of its operations were done. */
interface Answer {
  readonly kind: string;
  readonly operations: number;
}

/** Until there are no more requests, or the server is gone. */
export async function requestLoad(clients: readonly Kvd[], load: Load): Promise<void> {
  const { depth, seed, requests } = load.workload;
  const lines = clients.flatMap((kv, client) => {
    const left = { requests: requests || Number.POSITIVE_INFINITY };
    return Array.from({ length: depth }, (_, line) =>
      requestsOf(senderOf(kv, load, seed + client * depth + line + 1), load, left),
    );
  });
  await Promise.all(lines);
}

/** One request after the other. */
async function requestsOf(
  send: () => Promise<Answer>,
  { pace, tally, workload }: Load,
  left: { requests: number },
): Promise<void> {
  while (left.requests > 0) {
    left.requests -= 1;
    const turn = pace.take();
    const due = typeof turn === "object" ? await turn : turn;
    if (due === undefined) return;
    try {
      const { kind, operations } = await send();
      tally.answered(kind, { operations, ms: performance.now() - due });
    } catch (error) {
      if (!tally.failed(error, workload.batch)) pace.stop();
    }
  }
}

function senderOf(kv: Kvd, load: Load, seed: number): () => Promise<Answer> {
  switch (load.workload.mode) {
    case "batch":
      return batchSender(kv, load, seed);
    case "pipeline":
      return pipelineSender(kv, load, seed);
    default:
      return singleSender(kv, load, seed);
  }
}

function singleSender(kv: Kvd, { workload, keys }: Load, seed: number) {
  const nextKey = keys.sequence(seed);
  const nextKind = mixOf(workload);
  return async () => {
    const kind = nextKind();
    await (kind === "get" ? kv.get(nextKey()) : kv.put(nextKey(), keys.value));
    return { kind, operations: 1 };
  };
}

function batchSender(kv: Kvd, { workload, keys, tally }: Load, seed: number) {
  const nextKey = keys.sequence(seed);
  const nextKind = mixOf(workload);
  const operation = (): BatchOperation =>
    nextKind() === "get"
      ? { kind: "get", key: nextKey(), options: {} }
      : { kind: "put", key: nextKey(), value: keys.value, options: {} };
  return async () => {
    const { results } = await kv.batch(Array.from({ length: workload.batch }, operation));
    let operations = 0;
    for (const result of results) {
      if (result.kind === "failure") tally.error(result.reason);
      else operations += 1;
    }
    return { kind: "request", operations };
  };
}

function pipelineSender(kv: Kvd, { workload, keys, tally, pace }: Load, seed: number) {
  const nextKey = keys.sequence(seed);
  const nextKind = mixOf(workload);
  const call = (): Promise<unknown> =>
    nextKind() === "get" ? kv.get(nextKey()) : kv.put(nextKey(), keys.value);
  return async () => {
    const calls = Array.from({ length: workload.batch }, call);
    try {
      await Promise.all(calls);
      return { kind: "request", operations: calls.length };
    } catch {
      let operations = 0;
      for (const settled of await Promise.allSettled(calls)) {
        if (settled.status === "fulfilled") operations += 1;
        else if (!tally.failed(settled.reason, 1)) pace.stop();
      }
      return { kind: "request", operations };
    }
  };
}
