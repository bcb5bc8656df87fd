// The same watches on two servers, and whether both tell the same. Nothing is compared before both
// have told all that they have to: see horizon.ts.

import type { Event } from "../../../gen/grpc/etcd/kv.js";
import type { WatchCreateRequest } from "../../../gen/grpc/etcd/rpc.js";
import type { Difference, WatchCase } from "./differences.js";
import type { EtcdCalls } from "./etcd-calls.js";
import { horizonOf, type WatchBeginning } from "./horizon.js";
import { isSame, type Outcome, outcomeOf, type Plain, plain, shown, textOf } from "./outcome.js";
import type { WatchLog, WatchView } from "./watch-log.js";

interface OpenWatch extends WatchBeginning {
  /** Begins in the past, and has told of nothing yet: it may be reading still. */
  isBehind: boolean;
}

export interface Pair<T> {
  readonly etcd: T;
  readonly kvd: T;
}

export interface WatchPairOptions {
  readonly servers: Pair<EtcdCalls>;
  readonly differences: readonly Difference[];
  /** All changes so far. */
  readonly changes: () => readonly Event[];
  readonly recognised: (difference: Difference) => void;
}

export class WatchPair {
  readonly #options: WatchPairOptions;
  readonly #open = new Map<bigint, OpenWatch>();
  #logs: Pair<WatchLog>;

  constructor(options: WatchPairOptions) {
    this.#options = options;
    this.#logs = this.#opened();
  }

  get ids(): readonly bigint[] {
    return [...this.#open.keys()];
  }

  /** Those for which it is not sure that they have read the past. */
  get idsBehind(): readonly bigint[] {
    return [...this.#open].filter(([, { isBehind }]) => isBehind).map(([id]) => id);
  }

  async create(request: WatchCreateRequest, compactRevision: number): Promise<Pair<Outcome>> {
    const before = new Set(this.#logs.etcd.views.values());
    const replies = await this.#both(async (log) => plain(await log.create(request)));
    for (const [id, view] of this.#logs.etcd.views) {
      if (before.has(view)) continue;
      const { created } = view;
      const now = Number(created.header?.revision);
      const start = Number(request.startRevision);
      const from = start > 0 ? start : now + 1;
      this.#open.set(id, { request, from, compactRevision, isBehind: from <= now });
      if (from < compactRevision) await this.#endBelowHistory(id);
    }
    return replies;
  }

  /** Both have ended it. It is canceled, too, because etcd keeps its id until then. */
  async #endBelowHistory(id: bigint): Promise<void> {
    await this.#arrival(id, ({ ended }) => ended !== undefined);
    const ends = this.#ends(id);
    if (!isSame(ends.etcd, ends.kvd)) throw new Error(`ends differ: ${this.#shown(id)}`);
    this.#compareStrays();
    await this.#both(async (log) => {
      await log.cancel(id);
      return [];
    });
    this.#compareStrays();
    this.#open.delete(id);
  }

  /** Compares all before, so that both have told as much when they end. */
  async cancel(id: bigint): Promise<Pair<Outcome>> {
    await this.#both(async (log) => {
      await log.cancel(id);
      return [];
    });
    const ends = this.#ends(id);
    this.#open.delete(id);
    return ends;
  }

  progress(): Promise<Pair<Outcome>> {
    return this.#both((log) => log.progress());
  }

  reopen(): void {
    this.close();
    this.#open.clear();
    this.#logs = this.#opened();
  }

  close(): void {
    this.#logs.etcd.close();
    this.#logs.kvd.close();
  }

  /** @throws when the two have not told the same. */
  async compare(): Promise<void> {
    for (const [id, watch] of this.#open) {
      const horizon = horizonOf(watch, this.#options.changes());
      await this.#arrival(id, ({ lastRevision }) => lastRevision >= horizon);
      this.#compareEvents(id, watch);
      watch.isBehind &&= horizon === 0;
    }
    this.#compareStrays();
    const { etcd, kvd } = this.#logs;
    const problems = [...etcd.problems, ...kvd.problems];
    if (problems.length > 0) throw new Error(problems.join("\n"));
  }

  async #arrival(id: bigint, holds: (view: WatchView) => boolean): Promise<void> {
    const isThere = (log: WatchLog) => {
      const view = log.views.get(id);
      return view === undefined || view.ended !== undefined || holds(view);
    };
    try {
      await this.#logs.etcd.until(() => isThere(this.#logs.etcd));
      await this.#logs.kvd.until(() => isThere(this.#logs.kvd));
    } catch (error) {
      throw new Error(`${error}: ${this.#shown(id)}`);
    }
  }

  #compareEvents(id: bigint, watch: OpenWatch): void {
    const views = this.#views(id);
    const [etcd, kvd] = [views.etcd?.events ?? [], views.kvd?.events ?? []];
    if (textOf(etcd) !== textOf(kvd)) this.#recognise({ ...watch, etcd, kvd }, id);
    for (const view of [views.etcd, views.kvd]) if (view !== undefined) view.events = [];
  }

  #recognise(found: WatchCase, id: bigint): void {
    const { differences, recognised } = this.#options;
    const difference = differences.find(({ isWatch }) => isWatch?.(found) === true);
    if (difference === undefined) throw new Error(`events differ: ${this.#shown(id)}`);
    recognised(difference);
  }

  /** Ends of watches that were not open. */
  #compareStrays(): void {
    const etcd = this.#logs.etcd.takeStrays();
    const kvd = this.#logs.kvd.takeStrays();
    if (textOf(etcd) === textOf(kvd)) return;
    const { differences, recognised } = this.#options;
    const difference = differences.find(({ isStray }) => isStray?.({ etcd, kvd }) === true);
    if (difference === undefined) {
      throw new Error(`ended once more:\n  etcd ${shown(etcd)}\n  kvd  ${shown(kvd)}`);
    }
    recognised(difference);
  }

  #ends(id: bigint): Pair<Outcome> {
    const { etcd, kvd } = this.#views(id);
    return { etcd: outcomeOf([etcd?.ended]), kvd: outcomeOf([kvd?.ended]) };
  }

  #views(id: bigint): Pair<WatchView | undefined> {
    return { etcd: this.#logs.etcd.views.get(id), kvd: this.#logs.kvd.views.get(id) };
  }

  #shown(id: bigint): string {
    const { etcd, kvd } = this.#views(id);
    const both = [`  etcd ${shown(etcd)}`, `  kvd  ${shown(kvd)}`];
    return [`watch ${id}: ${shown(this.#open.get(id))}`, ...both].join("\n");
  }

  #opened(): Pair<WatchLog> {
    const { etcd, kvd } = this.#options.servers;
    return { etcd: etcd.openWatches(), kvd: kvd.openWatches() };
  }

  async #both(ask: (log: WatchLog) => Promise<Plain>): Promise<Pair<Outcome>> {
    const [etcd, kvd] = await Promise.all([ask(this.#logs.etcd), ask(this.#logs.kvd)]);
    return { etcd: { reply: etcd }, kvd: { reply: kvd } };
  }
}
