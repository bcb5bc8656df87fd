// How watches and streams are refused: what they gave before, and the status or `ended` at the end.

import type { Readable } from "node:stream";
import type { ServiceError } from "@grpc/grpc-js";
import {
  type MultiWatchRequest,
  type MultiWatchResponse,
  WatchRequest,
  type WatchResponse,
} from "../../../gen/grpc/kvd/v1/watch.js";
import type { RemoteClients } from "../../support/remote-engine.js";
import { type Refusal, refusalInAnswer, refusalOfCall } from "./refusal.js";

export type WatchFields = Parameters<typeof WatchRequest.create>[0];

/** What a call of Watch gave until it was refused. */
export function refuseWatch({ kv }: RemoteClients, fields: WatchFields): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const stream = kv.watch(WatchRequest.create(fields));
    const before: string[] = [];
    stream.on("data", ({ kind }: WatchResponse) => before.push(kind?.$case ?? "nothing"));
    stream.on("error", (error: ServiceError) => {
      try {
        resolve(refusalOfCall(error, before));
      } catch (unexpected) {
        reject(unexpected);
      }
    });
    stream.on("end", () => reject(new Error("the watch ended well")));
  });
}

const REFUSED_ID = 3n;
const GOOD_ID = 4n;

/** The same on a stream of MultiWatch, which has to go on: another watch is answered after it. */
export function refuseMultiWatch({ kv }: RemoteClients, fields: WatchFields): Promise<Refusal> {
  return refuseOnMultiWatch(kv.multiWatch(), {
    $case: "create",
    value: { id: REFUSED_ID, watch: WatchRequest.create(fields) },
  });
}

type Command = NonNullable<MultiWatchRequest["command"]>;

export function refuseOnMultiWatch(
  stream: ReturnType<RemoteClients["kv"]["multiWatch"]>,
  command: Command,
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const before: string[] = [];
    let refusal: Refusal | undefined;
    stream.on("data", ({ id, step }: MultiWatchResponse) => {
      if (id === REFUSED_ID && step?.$case === "response") {
        before.push(step.value.kind?.$case ?? "nothing");
      } else if (id === REFUSED_ID && step?.$case === "ended") {
        const { reason, message, metadata } = step.value;
        refusal = { ...refusalInAnswer(reason, message, metadata), before };
        stream.write({ command: createAll(GOOD_ID) });
      } else if (id === GOOD_ID && refusal !== undefined) {
        resolve(refusal);
        stream.cancel();
      } else reject(new Error(`watch ${id} was answered with ${step?.$case}`));
    });
    stream.on("error", (error: ServiceError) => {
      if (refusal !== undefined) return reject(new Error("the stream did not go on"));
      try {
        resolve(refusalOfCall(error, before));
      } catch (unexpected) {
        reject(unexpected);
      }
    });
    stream.write({ command });
  });
}

/** Opens a watch of all keys. */
export function createAll(id: bigint): Command {
  const watch = WatchRequest.create({ selector: { $case: "all", value: true } });
  return { $case: "create", value: { id, watch } };
}

/** The refusal that ends a stream on which these were written. */
export function refuseStream<Request>(
  stream: {
    write(request: Request): unknown;
    on(event: "data", listener: (answer: unknown) => void): unknown;
    on(event: "error", listener: (error: ServiceError) => void): unknown;
    on(event: "end", listener: () => void): unknown;
  },
  requests: readonly Request[],
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const before: string[] = [];
    stream.on("data", () => before.push("answer"));
    stream.on("error", (error: ServiceError) => {
      try {
        resolve(refusalOfCall(error, before));
      } catch (unexpected) {
        reject(unexpected);
      }
    });
    stream.on("end", () => reject(new Error("the stream ended well")));
    for (const request of requests) stream.write(request);
  });
}

/** A watch of all keys whose stream is not read after `created`. */
export function openStalled(kv: RemoteClients["kv"], place: "watch" | "multi-watch") {
  const fields = { selector: { $case: "all", value: true } } as const;
  const stream: Readable =
    place === "watch" ? kv.watch(WatchRequest.create(fields)) : kv.multiWatch();
  if (place === "multi-watch") {
    (stream as ReturnType<typeof kv.multiWatch>).write({ command: createAll(GOOD_ID) });
  }
  const opened = new Promise<void>((resolve) => {
    stream.once("data", () => {
      stream.pause();
      resolve();
    });
  });
  return { stream, opened };
}
