// Deletes the keys that a file does not have, among those that it is given to be about.
//
// First they are counted, at one revision; then those are deleted, and none that was written since.
// Each batch is a transaction.

import type { Entry, Kvd, SelectorLike } from "../../index.js";
import { UsageError } from "../failure.js";
import type { Flags } from "../flags.js";
import { pages } from "../listing.js";
import type { OptionDefinition } from "../option.js";
import { keyFromText } from "../selectors.js";
import { writeBatch } from "./atomic-batch.js";
import { merged } from "./merge.js";
import { lastOfEach, type SortedRows } from "./sorted-rows.js";

export const PRUNE_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--prune", description: "delete keys that the file does not have, among --prefix" },
  { flags: "--prefix <prefix>", description: "what --prune may delete: keys that start with this" },
  { flags: "--all", description: "--prune may delete any key" },
  { flags: "--yes", description: "do not ask before --prune deletes" },
];

/** What --prune may delete; undefined without it. @throws UsageError */
export function pruneSelector(flags: Flags): SelectorLike | undefined {
  const prefix = flags.text("prefix");
  const all = flags.on("all");
  if (!flags.on("prune")) {
    if (prefix === undefined && !all) return undefined;
    const stray = prefix === undefined ? "--all" : "--prefix";
    throw new UsageError(`${stray} tells what --prune may delete; it goes with --prune`);
  }
  if (prefix !== undefined && all) {
    throw new UsageError("--prefix and --all exclude each other; give one");
  }
  if (all) return { all: true };
  if (prefix !== undefined && prefix !== "") return { prefix: keyFromText(flags, prefix) };
  throw new UsageError("--prune needs to know what it may delete: --prefix P, or --all");
}

/** What would be deleted. */
export interface PrunePlan {
  readonly count: number;
  /** The first few. */
  readonly sample: readonly Uint8Array[];
  readonly revision: number;
}

const SAMPLE = 5;
const BATCH_KEYS = 500;

export class Pruning {
  readonly #kv: Pick<Kvd, "range" | "txn">;
  readonly #job: {
    readonly selector: SelectorLike;
    readonly kept: SortedRows;
    readonly signal: AbortSignal;
  };
  deleted = 0;
  revision = 0;

  /** @param job.kept the rows of the file. */
  constructor(
    kv: Pick<Kvd, "range" | "txn">,
    job: {
      readonly selector: SelectorLike;
      readonly kept: SortedRows;
      readonly signal: AbortSignal;
    },
  ) {
    this.#kv = kv;
    this.#job = job;
  }

  /** @param told is told of each key. */
  async plan(told?: (key: Uint8Array) => Promise<void>): Promise<PrunePlan> {
    const sample: Uint8Array[] = [];
    let count = 0;
    let revision = 0;
    for await (const victim of this.#victims((at) => {
      revision = at;
    })) {
      count += 1;
      if (sample.length < SAMPLE) sample.push(victim.key);
      await told?.(victim.key);
    }
    return { count, sample, revision };
  }

  /**
   * Deletes what was planned.
   *
   * @param conflict is told of a key that changed meanwhile, which stays.
   */
  async run(
    plan: PrunePlan,
    told: {
      readonly deleted: (count: number) => void;
      readonly conflict: (key: Uint8Array) => void;
    },
  ): Promise<void> {
    let batch: Victim[] = [];
    for await (const victim of this.#victims(() => {})) {
      if (victim.modRevision > plan.revision) continue;
      batch.push(victim);
      if (batch.length < BATCH_KEYS) continue;
      await this.#delete(batch, told.conflict);
      told.deleted(this.deleted);
      batch = [];
    }
    await this.#delete(batch, told.conflict);
    told.deleted(this.deleted);
  }

  async #delete(victims: readonly Victim[], conflict: (key: Uint8Array) => void): Promise<void> {
    this.#job.signal.throwIfAborted();
    await writeBatch(victims, {
      txn: (spec) => this.#kv.txn(spec),
      operation: ({ key, modRevision }) => ({
        kind: "delete",
        selector: { key },
        options: { expectedModRevision: modRevision },
      }),
      done: (items, revision) => {
        this.deleted += items.length;
        this.revision = Math.max(this.revision, revision);
      },
      refused: ({ key }, error) => {
        if (error.reason !== "PRECONDITION_FAILED") throw error;
        // Somebody else has deleted it: that is what was wanted.
        if (error.details.modRevision !== 0) conflict(key);
        return true;
      },
    });
  }

  async *#victims(at: (revision: number) => void): AsyncGenerator<Victim> {
    const { kept } = this.#job;
    for await (const { left, right } of merged(lastOfEach(kept.rows()), this.#listed(at))) {
      if (left === undefined && right !== undefined) yield right;
    }
  }

  async *#listed(at: (revision: number) => void): AsyncGenerator<Victim> {
    const { selector, signal } = this.#job;
    for await (const page of pages(this.#kv, {
      selector,
      options: { keysOnly: true, signal },
      limit: 0,
    })) {
      at(page.revision);
      yield* page.entries.map(victimOf);
    }
  }
}

interface Victim {
  readonly key: Uint8Array;
  readonly modRevision: number;
}

function victimOf({ keyBytes, modRevision }: Entry): Victim {
  return { key: keyBytes, modRevision };
}
