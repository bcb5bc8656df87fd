// Runs the same random operations on two servers and compares all that a client can see. The first
// difference that is not a known one ends it, with what is needed to see it again.

import { WatchCreateRequest } from "../../../gen/grpc/etcd/rpc.js";
import { seededRandom } from "../seeded-random.js";
import { Choices, type Known } from "./choices.js";
import type { Difference } from "./differences.js";
import type { EtcdCalls } from "./etcd-calls.js";
import { type Operation, randomOperation } from "./operations.js";
import { isSame, type Outcome, type Plain, shown } from "./outcome.js";
import type { WatchLog, WatchView } from "./watch-log.js";
import { type Pair, WatchPair } from "./watch-pair.js";

export interface JudgeOptions {
  readonly servers: Pair<EtcdCalls>;
  readonly seed: number;
  readonly differences: readonly Difference[];
}

export interface Verdict {
  readonly operations: ReadonlyMap<string, number>;
  /** How often each known difference was met. */
  readonly differences: ReadonlyMap<string, number>;
  readonly revision: number;
}

/** Operations between two looks at the watches. */
const BATCH = 50;

export class Judge {
  readonly #options: JudgeOptions;
  readonly #watches: WatchPair;
  readonly #choices: Choices;
  readonly #journal: WatchLog;
  readonly #operations = new Map<string, number>();
  readonly #met = new Map<string, number>();
  #revision = 1;
  #compactRevision = 0;
  #count = 0;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#journal = options.servers.etcd.openWatches();
    this.#watches = new WatchPair({
      ...options,
      changes: () => this.#changes.events,
      recognised: (difference) => count(this.#met, difference.name),
    });
    this.#choices = new Choices(seededRandom(options.seed), this.#known());
  }

  /** @throws at the first difference that is not known. */
  async run(operations: number): Promise<Verdict> {
    const everything = { ...this.#choices.everything(), startRevision: 1n };
    await this.#journal.create(WatchCreateRequest.create(everything));
    for (let done = 0; done < operations; done += 1) await this.#step();
    await this.#compareWatches("the end");
    await this.#judge({ kind: "hash", request: { revision: 0n } });
    return { operations: this.#operations, differences: this.#met, revision: this.#revision };
  }

  /** All changes from the compact revision on. */
  get #changes(): WatchView {
    return this.#journal.views.get(0n) as WatchView;
  }

  #known(): Known {
    const judge = this;
    return {
      get revision() {
        return judge.#revision;
      },
      get compactRevision() {
        return judge.#compactRevision;
      },
      get watchIds() {
        return judge.#watches.ids;
      },
    };
  }

  async #step(): Promise<void> {
    const operation = randomOperation(this.#choices);
    this.#count += 1;
    const ordered = ["compact", "cancel", "progress", "reopen"].includes(operation.kind);
    if (ordered || this.#count % BATCH === 0) await this.#compareWatches(shown(operation));
    // A watch that reads the past while it goes may tell of it, or be refused.
    if (operation.kind === "compact") {
      for (const id of this.#watches.idsBehind) await this.#judge({ kind: "cancel", id });
    }
    await this.#judge(operation);
  }

  async #judge(operation: Operation): Promise<void> {
    count(this.#operations, operation.kind);
    const outcomes = await this.#performed(operation);
    const compactRevision = this.#compactRevision;
    const openWatches = this.#watches.ids.length;
    const found = { operation, ...outcomes, compactRevision, openWatches };
    if (Object.values(outcomes).some(isGone)) throw this.#failure(operation, outcomes);
    if (!isSame(outcomes.etcd, outcomes.kvd)) {
      const difference = this.#options.differences.find(({ isCall }) => isCall?.(found) === true);
      if (difference === undefined) throw this.#failure(operation, outcomes);
      count(this.#met, difference.name);
    }
    this.#learn(operation, outcomes.etcd);
  }

  async #performed(operation: Operation): Promise<Pair<Outcome>> {
    const { etcd, kvd } = this.#options.servers;
    try {
      switch (operation.kind) {
        case "watch":
          return await this.#watches.create(operation.request, this.#compactRevision);
        case "cancel":
          return await this.#watches.cancel(operation.id);
        case "progress":
          return await this.#watches.progress();
        case "reopen":
          this.#watches.reopen();
          return { etcd: {}, kvd: {} };
        default: {
          const [first, second] = await Promise.all([
            etcd.perform(operation),
            kvd.perform(operation),
          ]);
          return { etcd: first, kvd: second };
        }
      }
    } catch (error) {
      throw new Error(`${this.#place}: ${shown(operation)}: ${error}`);
    }
  }

  #learn(operation: Operation, { reply }: Outcome): void {
    this.#revision = Math.max(this.#revision, headerRevision(reply));
    if (operation.kind !== "compact" || reply === undefined) return;
    this.#compactRevision = Number(operation.request.revision);
    const { events } = this.#changes;
    const kept = events.findIndex(({ kv }) => Number(kv?.modRevision) >= this.#compactRevision);
    events.splice(0, kept < 0 ? events.length : kept);
  }

  async #compareWatches(before: string): Promise<void> {
    try {
      const isThere = () => this.#revision === 1 || this.#changes.lastRevision >= this.#revision;
      await this.#journal.until(isThere);
      await this.#watches.compare();
    } catch (error) {
      throw new Error(`${this.#place}: before ${before}: ${error}`);
    }
  }

  get #place(): string {
    const { seed } = this.#options;
    const [revision, compact] = [this.#revision, this.#compactRevision];
    return `KVD_SEED=${seed}, operation ${this.#count}, at ${revision}, compacted at ${compact}`;
  }

  #failure(operation: Operation, { etcd, kvd }: Pair<Outcome>): Error {
    const both = [`  etcd ${shown(etcd)}`, `  kvd  ${shown(kvd)}`];
    return new Error([`${this.#place}: ${shown(operation)}`, ...both].join("\n"));
  }
}

/** A server that is not there any more: some requests end etcd. */
function isGone({ error }: Outcome): boolean {
  return error?.code === "UNAVAILABLE";
}

function headerRevision(reply: Plain | undefined): number {
  if (typeof reply !== "object" || !("header" in reply)) return 0;
  const { header } = reply;
  return typeof header === "object" && "revision" in header ? Number(header["revision"]) : 0;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
