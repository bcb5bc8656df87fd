// Opens many watches on a few streams, and counts the events that come on all of them.

import { WatchRequest as EtcdWatchRequest } from "../../gen/grpc/etcd/rpc.js";
import { MultiWatchRequest } from "../../gen/grpc/kvd/v1/watch.js";
import { ETCD, KVD } from "../methods.js";
import { H2Connection } from "./h2-connection.js";
import { framed, MessageSplitter } from "./message-splitter.js";
import { countOf, lastOf } from "./wire-fields.js";

export interface WatchPlan {
  readonly port: number;
  readonly protocol: "kvd" | "etcd";
  readonly streams: number;
  readonly watchesPerStream: number;
  /** The key that a watch is of, or the prefix that all of them are of. */
  readonly target: { readonly prefix: string } | { readonly keyAt: (watch: number) => string };
}

/** Fields of the answers: gen/grpc/kvd/v1/watch.ts, gen/grpc/etcd/rpc.ts. */
const FIELD = {
  multiResponse: 2,
  created: 2,
  events: 5,
  eventsEvents: 1,
  etcdEvents: 11,
};

export class Watching {
  readonly #connections: H2Connection[] = [];
  #created = 0;
  #events = 0;
  #check = () => {};

  /** Settles when every watch is created. */
  static async open(plan: WatchPlan): Promise<Watching> {
    const watching = new Watching();
    const all = plan.streams * plan.watchesPerStream;
    for (let number = 0; number < plan.streams; number += 1) {
      watching.#connections.push(await watching.#openStream(plan, number));
    }
    await watching.#until(() => watching.#created >= all);
    return watching;
  }

  get events(): number {
    return this.#events;
  }

  async untilEvents(count: number): Promise<void> {
    await this.#until(() => this.#events >= count);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#check = () => {
        if (holds()) resolve();
      };
      this.#check();
    });
  }

  async #openStream(plan: WatchPlan, number: number): Promise<H2Connection> {
    const connection = await H2Connection.open(plan.port);
    const count =
      plan.protocol === "kvd" ? (m: Buffer) => this.#kvd(m) : (m: Buffer) => this.#etcd(m);
    const splitter = new MessageSplitter(count);
    const stream = connection.open(plan.protocol === "kvd" ? KVD.multiWatch : ETCD.watch, {
      onData: (bytes) => {
        splitter.push(bytes);
        this.#check();
      },
      onEnd: () => {},
    });
    for (let at = 0; at < plan.watchesPerStream; at += 1) {
      const message = createMessage(plan, number * plan.watchesPerStream + at);
      connection.send(stream, framed(message), { end: false });
    }
    return connection;
  }

  #kvd(message: Buffer): void {
    const response = lastOf(message, FIELD.multiResponse);
    if (response === undefined) throw new Error("a watch was refused");
    const events = lastOf(response, FIELD.events);
    if (events !== undefined) this.#events += countOf(events, FIELD.eventsEvents);
    else if (lastOf(response, FIELD.created) !== undefined) this.#created += 1;
  }

  #etcd(message: Buffer): void {
    const events = countOf(message, FIELD.etcdEvents);
    if (events === 0) this.#created += 1;
    this.#events += events;
  }
}

function createMessage({ protocol, target }: WatchPlan, watch: number): Uint8Array {
  const text = "prefix" in target ? target.prefix : target.keyAt(watch);
  if (protocol === "kvd") {
    const $case = "prefix" in target ? "prefix" : "key";
    const value = { id: BigInt(watch + 1), watch: { selector: { $case, value: text } } } as const;
    return MultiWatchRequest.encode(
      MultiWatchRequest.fromPartial({ command: { $case: "create", value } }),
    ).finish();
  }
  const key = Buffer.from(text);
  const end = Buffer.from(text);
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1;
  const value = "prefix" in target ? { key, rangeEnd: end } : { key };
  return EtcdWatchRequest.encode(
    EtcdWatchRequest.fromPartial({ requestUnion: { $case: "createRequest", value } }),
  ).finish();
}
