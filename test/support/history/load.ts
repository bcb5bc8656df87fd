// A load that writes its own history: writers, readers and watchers, each a client that has one
// call at a time and never sends one twice.
//
// Keys of six families: registers r, of every kind of write; d, deleted by their prefix; l, put
// with a ttl; accounts a, between which money moves; lists x, which grow; m, marks of deletions.
// Few keys, so that clients meet. A client whose call ended without an answer is over, because that
// call may still take effect; who wants to go on takes another name.

import type { Kvd } from "../../../client/index.js";
import { connect, KvdClientError } from "../../../client/index.js";
import { type SeededRandom, seededRandom } from "../seeded-random.js";
import { balanceOf } from "./bank.js";
import type { Commit } from "./history.js";
import { addCommits } from "./journal.js";
import type { Families } from "./judge.js";
import type { HistoryRecorder } from "./recorder.js";
import { Session, Unanswered } from "./session.js";

export const FAMILIES: Families = { bank: { prefix: "a", total: 400 }, lists: "x" };

const WRITERS = 8;
const READERS = 3;
const WATCHERS = 1;
const REGISTERS = 6;
const ACCOUNTS = 4;
const LIST_MAX_ELEMENTS = 30;

/** What ends a watch that does not go on: the connection, or a server that was paused too long. */
const BREAKS: ReadonlySet<string> = new Set(["UNAVAILABLE", "DEADLINE_EXCEEDED"]);

export interface LoadOptions {
  readonly recorder: HistoryRecorder;
  readonly address: string;
  /** Unlike those of all other loads of this history. */
  readonly name: string;
  readonly seed: number;
  /** Clients that are over are followed by others, until stop(), each when this is settled. */
  readonly again?: () => Promise<unknown>;
  /** Of a call, until its client gives it up. */
  readonly timeout?: string;
  /** A watch goes on after what it has told. */
  readonly watchFrom: number;
}

/** Writes what every load takes to be there, once. */
export async function openAccounts(recorder: HistoryRecorder, address: string): Promise<void> {
  const kv = connect(address);
  const puts = Array.from({ length: ACCOUNTS }, (_, index) => {
    return { kind: "put", key: `a${index}`, value: `100 opening${index}` } as const;
  });
  await new Session({ recorder, kv, name: "opening" }).txn({ success: puts });
  await kv.close();
}

export class Load {
  readonly #options: LoadOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;
  readonly #over = new AbortController();
  #logMayFail = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    const kinds = [
      ...Array.from({ length: WRITERS }, () => "writer" as const),
      ...Array.from({ length: READERS }, () => "reader" as const),
      ...Array.from({ length: WATCHERS }, () => "watcher" as const),
    ];
    this.#ended = Promise.all(kinds.map((kind, index) => this.#run(kind, index)));
    const end = () => this.#over.abort();
    this.#ended.then(end, end);
  }

  /** Waits until so many calls were answered, or all clients are over. */
  async answered(count: number): Promise<void> {
    await this.#options.recorder.answered(count, this.#over.signal);
  }

  /** Waits until it holds, or all clients are over. */
  async until(holds: () => boolean): Promise<void> {
    await this.#options.recorder.until(holds, this.#over.signal);
  }

  /** From now on the disk of the server fails: not by itself. */
  expectFailedLog(): void {
    this.#logMayFail = true;
  }

  /** Lets every client have its answer. @throws what the server should not have answered. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(kind: "writer" | "reader" | "watcher", index: number): Promise<void> {
    const { recorder, address, name, seed, again, timeout = "10s", watchFrom } = this.#options;
    let from = watchFrom;
    for (let life = 0; life === 0 || again !== undefined; life += 1) {
      if (life > 0) await again?.();
      if (this.#stop.signal.aborted) return;
      const kv = connect(address, { retry: false, timeout, pingInterval: "500ms" });
      const own = `${name}${kind}${index}.${life}`;
      const random = seededRandom(seed + 1000 * index + life);
      try {
        if (kind === "watcher") {
          const watcher = new Watcher(recorder, kv, own);
          from = (await watcher.run(from, this.#stop.signal)) + 1;
        } else {
          const session = new Session({ recorder, kv, name: own });
          const client =
            kind === "writer" ? new Writer(session, random, name) : new Reader(session, random);
          while (!this.#stop.signal.aborted) await client.act();
        }
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        if (error.logFailed && !this.#logMayFail) throw error;
      } finally {
        await kv.close();
      }
    }
  }
}

class Writer {
  readonly #session: Session;
  readonly #random: SeededRandom;
  readonly #lists: string;

  /** Its lists are those of its load: they would be full soon. */
  constructor(session: Session, random: SeededRandom, lists: string) {
    this.#session = session;
    this.#random = random;
    this.#lists = lists;
  }

  async act(): Promise<void> {
    const acts = [
      () => this.#session.put(this.#register(), this.#session.value()),
      () => this.#session.put(this.#register(), this.#session.value()),
      () => this.#swap(),
      () => this.#session.delete({ key: this.#register() }),
      () => this.#clear(),
      () => this.#branch(),
      () => this.#batch(),
      () => this.#session.put(`l${this.#random.below(2)}`, this.#session.value(), { leased: true }),
      () => this.#transfer(),
      () => this.#append(),
    ];
    await this.#random.pick<() => Promise<unknown>>(acts)();
  }

  #register(): string {
    return `r${this.#random.below(REGISTERS)}`;
  }

  /** Puts what nobody else has changed since it was read. */
  async #swap(): Promise<void> {
    const key = this.#register();
    const held = await this.#session.read({ key });
    await this.#session.swap(key, held[0], this.#session.value());
  }

  async #clear(): Promise<void> {
    const [value, mark] = [this.#session.value(), this.#session.value()];
    if (this.#random.below(3) > 0) {
      await this.#session.put(`d${this.#random.below(3)}`, value);
      return;
    }
    const mine = { kind: "put", key: "m", value: mark } as const;
    await this.#session.txn({ success: [mine, { kind: "delete", keys: { prefix: "d" } }] });
  }

  async #branch(): Promise<void> {
    const [one, other] = [this.#register(), this.#register()];
    const is = this.#session.lastSeen(one);
    await this.#session.txn({
      compares: [{ key: one, is }],
      success: [
        { kind: "put", key: one, value: this.#session.value() },
        { kind: "read", keys: { prefix: "r" } },
      ],
      failure: [
        { kind: "read", keys: { key: one } },
        { kind: "put", key: other, value: this.#session.value() },
      ],
    });
  }

  async #batch(): Promise<void> {
    await this.#session.batch([
      { kind: "put", key: this.#register(), value: this.#session.value() },
      { kind: "read", keys: { key: this.#register() } },
      { kind: "delete", keys: { key: this.#register() } },
      { kind: "put", key: this.#register(), value: this.#session.value() },
    ]);
  }

  async #transfer(): Promise<void> {
    const held = await this.#session.read({ prefix: "a" });
    const from = this.#random.pick(held);
    const to = this.#random.pick(held.filter(({ key }) => key !== from.key));
    const amount = this.#random.below(20);
    const put = (key: string, balance: number) =>
      ({ kind: "put", key, value: `${balance} ${this.#session.value()}` }) as const;
    await this.#session.txn({
      compares: [from, to].map(({ key, value }) => ({ key, is: value })),
      success: [
        put(from.key, balanceOf(from.value) - amount),
        put(to.key, balanceOf(to.value) + amount),
      ],
    });
  }

  /** To one list or to both. When they are long they stay as they are. */
  async #append(): Promise<void> {
    const prefix = `x${this.#lists}`;
    const held = await this.#session.read({ prefix });
    const keys = this.#random.pick([["0"], ["1"], ["0", "1"]]).map((name) => prefix + name);
    const lists = keys.map((key) => ({
      key,
      is: held.find((each) => each.key === key)?.value ?? "",
    }));
    if (lists.some(({ is }) => is.split(",").length >= LIST_MAX_ELEMENTS)) return;
    const success = lists.map(({ key, is }) => {
      const value = `${is}${is === "" ? "" : ","}${this.#session.value()}`;
      return { kind: "put", key, value } as const;
    });
    await this.#session.txn({ compares: lists, success });
  }
}

class Reader {
  readonly #session: Session;
  readonly #random: SeededRandom;

  constructor(session: Session, random: SeededRandom) {
    this.#session = session;
    this.#random = random;
  }

  async act(): Promise<void> {
    const key = () => `r${this.#random.below(REGISTERS)}`;
    const acts = [
      () => this.#session.get(key()),
      () => this.#session.get(`l${this.#random.below(2)}`),
      () => this.#session.read({ key: key() }),
      () => this.#session.read({ prefix: this.#random.pick(["r", "a", "x", "d", "l"]) }),
      () => this.#session.txn({ success: [{ kind: "read", keys: { prefix: "a" } }] }),
      () =>
        this.#session.batch([key(), key()].map((each) => ({ kind: "read", keys: { key: each } }))),
    ];
    await this.#random.pick<() => Promise<unknown>>(acts)();
  }
}

class Watcher {
  readonly #recorder: HistoryRecorder;
  readonly #kv: Kvd;
  readonly #name: string;

  constructor(recorder: HistoryRecorder, kv: Kvd, name: string) {
    this.#recorder = recorder;
    this.#kv = kv;
    this.#name = name;
  }

  /** Answers the last revision that it was told. */
  async run(from: number, signal: AbortSignal): Promise<number> {
    this.#recorder.watch({ watch: this.#name, revision: from });
    const options = { startRevision: from, progressInterval: "100ms", signal };
    const watch = this.#kv.watch({ all: true }, options);
    let told = from - 1;
    let commits: Commit[] = [];
    try {
      for await (const step of watch.steps()) {
        if (step.kind === "events") addCommits(commits, step.events);
        if (step.kind === "created" || (step.kind === "events" && step.fragment)) continue;
        for (const { revision, changes } of commits) {
          this.#recorder.saw(this.#name, revision, changes);
        }
        if (step.kind === "progress") this.#recorder.saw(this.#name, step.revision, []);
        commits = [];
        told = Math.max(told, step.revision);
      }
    } catch (error) {
      if (!(error instanceof KvdClientError) || !BREAKS.has(error.code)) throw error;
    }
    return told;
  }
}
