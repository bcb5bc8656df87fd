// 300 cuts of the connection under 20 watches and 8 writers: no event is lost, none comes twice,
// none out of order; and no write whose connection broke is applied twice.
//
// Everything goes through a proxy that cuts by a seed: at once, or in the middle of what passes, or
// after a stall, with delays or without. What has really happened is read from the engine itself.
// KVD_CUTS and KVD_SEED set the number of cuts and the seed; the seed is printed.

import test from "ava";
import {
  type BatchOperation,
  connect,
  del,
  type Kvd,
  KvdClientError,
  put,
  type SelectorLike,
  type WatchEvent,
  type WatchOptions,
} from "../../client/index.js";
import { type MemoryEngine, openMemoryEngine } from "../../server/engines/memory.js";
import { defaultLimits } from "../../server/kv/limits.js";
import { systemClock } from "../../server/lib/clock.js";
import { createServer } from "../../server/server.js";
import { text } from "../support/commands.js";
import { SEED } from "../support/fault-scale.js";
import { type SeededRandom, seededRandom } from "../support/seeded-random.js";
import { openProxy, type TcpProxy } from "../support/tcp-proxy.js";

const CUTS = Number(process.env["KVD_CUTS"] ?? 300);
const WRITERS = 8;
const WATCHES = 20;

/** An event as text: `2 put w3/17 value`. */
type Told = string;

const toldOf = (event: WatchEvent): Told => {
  const value = event.type === "put" ? event.entry.text() : "";
  return `${event.revision} ${event.type} ${event.key} ${value.slice(0, 20)}`;
};

test(`${CUTS} cuts under ${WATCHES} watches and ${WRITERS} writers lose and double nothing`, async (t) => {
  t.timeout(120_000);
  t.log(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const engine = await openMemoryEngine({ limits: defaultLimits(), clock: systemClock });
  const server = await createServer({ engine, shutdownGraceMs: 0 });
  t.teardown(async () => {
    await server.close();
    engine.check();
    await engine.close();
  });
  const proxy = await openProxy(t, server.port ?? 0);
  const connectThere = () => {
    const kv = connect(proxy.address, { pingInterval: "500ms" });
    t.teardown(() => kv.close());
    return kv;
  };
  const direct = connect(server.address);
  t.teardown(() => direct.close());

  const clients = [connectThere(), connectThere(), connectThere(), connectThere()];
  const watches = Array.from(
    { length: WATCHES },
    (_, index) => new WatchLog(clients[index % clients.length] as Kvd, index),
  );
  await Promise.all(watches.map((watch) => watch.ready));
  const stop = new AbortController();
  const writers = Array.from(
    { length: WRITERS },
    (_, index) => new Writer(clients[index % 2] as Kvd, { name: `w${index}`, seed: SEED + index }),
  );
  const writing = writers.map((writer) => writer.run(stop.signal));
  const cuts = await cutMany(proxy, random);
  stop.abort();
  await Promise.all(writing);
  const last = Array.from({ length: WRITERS }, (_, index) => put(`w${index}/end`, "end"));
  const { revision } = await direct.txn({ success: last });
  for (const watch of watches) watch.endsAt(revision);
  const logs = await Promise.all(watches.map((watch) => watch.told));

  const truth = await history(engine, revision);
  t.is(cuts, CUTS);
  for (const [index, log] of logs.entries()) {
    const { selector, wants } = watches[index] as WatchLog;
    const difference = firstDifference(truth.filter(wants), log);
    t.is(difference, undefined, `watch ${index} of ${JSON.stringify(selector)}`);
  }
  const counts = countBy(truth);
  for (const { acknowledged, unknown } of writers) {
    const lost = acknowledged.filter((name) => counts.get(name) !== 1);
    const twice = unknown.filter((name) => (counts.get(name) ?? 0) > 1);
    t.deepEqual({ lost, twice }, { lost: [], twice: [] });
  }
  const unknown = writers.reduce((sum, writer) => sum + writer.unknown.length, 0);
  t.log(`${truth.length} events, ${unknown} writes whose outcome is unknown`);
  t.true(truth.length > CUTS);
});

/** Cuts again and again, each time when something has passed since the last. */
async function cutMany(proxy: TcpProxy, random: SeededRandom): Promise<number> {
  let cuts = 0;
  while (cuts < CUTS) {
    const passed = proxy.bytesDown + random.below(15_000);
    await proxy.until(() => proxy.bytesDown > passed && proxy.connections > 0);
    proxy.delayMs = random.pick([0, 0, 0, 1, 3]);
    const kind = random.pick(["now", "now", "within", "stalled"] as const);
    if (kind === "within") {
      const before = proxy.ended;
      proxy.cutAfter(random.below(30_000));
      await proxy.until(() => proxy.ended > before);
    } else if (kind === "stalled") {
      proxy.stall();
      for (let turns = random.below(200); turns > 0; turns -= 1) await turn();
      proxy.cut();
      proxy.flow();
    } else {
      proxy.cut();
    }
    cuts += 1;
  }
  proxy.delayMs = 0;
  return cuts;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What one watch was told, of a selector by its number. */
class WatchLog {
  readonly selector: SelectorLike;
  readonly ready: Promise<unknown>;
  readonly told: Promise<readonly Told[]>;
  readonly #prefix: string;
  #from = 0;
  #last: number | undefined;
  #newest = 0;
  #close: () => void = () => {};

  constructor(kv: Kvd, index: number) {
    this.#prefix = index % 3 === 0 ? "w" : `w${index % WRITERS}/`;
    this.selector = { prefix: this.#prefix };
    const options: WatchOptions = {
      ...(index % 4 === 1 ? { startRevision: 1 } : {}),
      ...(index % 5 === 2 ? { previous: true } : {}),
      ...(index % 7 === 3 ? { includeCurrent: true, startRevision: 0 } : {}),
    };
    const watch = kv.watch(this.selector, options);
    this.ready = watch.ready().then(({ revision }) => {
      this.#from = options.startRevision || revision + 1;
    });
    this.#close = () => watch.close();
    this.told = this.#read(watch.steps(), { slow: index % 6 === 5 });
  }

  /** It has told all when it has told this revision. */
  endsAt(revision: number): void {
    this.#last = revision;
    this.#endIfLast(this.#newest);
  }

  readonly wants = (told: Told): boolean => {
    const [revision, , key] = told.split(" ");
    return Number(revision) >= this.#from && (key ?? "").startsWith(this.#prefix);
  };

  async #read(
    steps: ReturnType<ReturnType<Kvd["watch"]>["steps"]>,
    { slow }: { readonly slow: boolean },
  ): Promise<readonly Told[]> {
    const told: Told[] = [];
    let unfinished: number | undefined;
    for await (const step of steps) {
      if (step.kind !== "events") continue;
      if (unfinished !== undefined && step.events[0]?.revision !== unfinished) {
        throw new Error(`${unfinished} is marked as going on, and does not`);
      }
      unfinished = step.fragment ? step.revision : undefined;
      for (const event of step.events) told.push(toldOf(event));
      if (slow) for (let turns = 0; turns < 5; turns += 1) await turn();
      if (!step.fragment) this.#newest = step.revision;
      this.#endIfLast(this.#newest);
    }
    return told;
  }

  #endIfLast(revision: number): void {
    if (this.#last !== undefined && revision >= this.#last) this.#close();
  }
}

/** Writes what nobody else writes, one call at a time, and remembers what became of it. */
class Writer {
  /** Names of writes that were answered, and of those whose connection broke. */
  readonly acknowledged: string[] = [];
  readonly unknown: string[] = [];
  readonly #kv: Kvd;
  readonly #name: string;
  readonly #random: SeededRandom;
  #count = 0;

  constructor(kv: Kvd, { name, seed }: { readonly name: string; readonly seed: number }) {
    this.#kv = kv;
    this.#name = name;
    this.#random = seededRandom(seed);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#count += 1;
      const value = `${this.#name}-${this.#count}`;
      try {
        await this.#write(value);
        this.acknowledged.push(value);
      } catch (error) {
        if (!(error instanceof KvdClientError) || error.code !== "UNAVAILABLE") throw error;
        this.unknown.push(value);
      }
    }
  }

  /** One of the keys it writes has the value, which nobody writes again. */
  async #write(value: string): Promise<void> {
    const key = (index: number) => `${this.#name}/${index}`;
    const kind = this.#random.pick(KINDS);
    const others = this.#random.below(20);
    if (kind === "put") {
      await this.#kv.put(key(others), value);
    } else if (kind === "batch") {
      const operations: BatchOperation[] = [put(key(1), value), del(key(others)), put(key(2), "")];
      await this.#kv.batch(operations);
    } else if (kind === "txn") {
      await this.#kv.txn({ success: [put(key(3), value), put(key(4), ""), del(key(5))] });
    } else {
      const filler = "x".repeat(4_000);
      const success = Array.from({ length: 20 }, (_, index) => put(key(30 + index), filler));
      await this.#kv.txn({ success: [put(key(6), value), ...success] });
    }
  }
}

/** Large ones are one of ten. */
const KINDS = ["put", "put", "put", "put", "put", "batch", "batch", "txn", "txn", "large"] as const;

/** Everything that has happened, as the engine tells it. */
async function history(engine: MemoryEngine, last: number): Promise<readonly Told[]> {
  const watcher = engine.watch({
    selector: { kind: "all" },
    startRevision: 1,
    storeId: undefined,
    includeCurrent: false,
    previous: false,
    excludePuts: false,
    excludeDeletes: false,
    progressIntervalMs: 0,
    maxBytes: 1_000_000,
    wholeRevisionMaxBytes: 0,
  });
  const told: Told[] = [];
  for (;;) {
    const message = await watcher.next();
    if (message?.kind !== "events") continue;
    for (const event of message.events) {
      const key = text(event.type === "put" ? event.entry.key : event.key);
      const value = event.type === "put" ? text(event.entry.value).slice(0, 20) : "";
      told.push(`${event.revision} ${event.type} ${key} ${value}`);
    }
    if (message.revision >= last && !message.fragment) break;
  }
  watcher.close();
  return told;
}

/** How often each name of a write is in what happened. */
function countBy(truth: readonly Told[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const told of truth) {
    const name = told.split(" ")[3] ?? "";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function firstDifference(due: readonly Told[], log: readonly Told[]): string | undefined {
  const length = Math.max(due.length, log.length);
  for (let index = 0; index < length; index += 1) {
    if (due[index] !== log[index]) return `${index}: ${log[index]} came, ${due[index]} was due`;
  }
  return undefined;
}
