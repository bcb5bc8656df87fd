// One run of kvctl import or kvctl apply: reads rows, writes what differs, prunes, tells what was
// done. Where the two differ is told by ImportPlan.

import type { Kvd, SelectorLike, Status } from "../../index.js";
import type { Invocation } from "../command.js";
import { errorText, exitCodeOf } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { type Progress, startProgress } from "../progress.js";
import { confirmed } from "../question.js";
import { lineText, plainLine } from "../terminal-text.js";
import { putFromRow } from "./batch-sender.js";
import type { Outcome } from "./comparison.js";
import { type PrunePlan, Pruning } from "./pruning.js";
import type { RowItem } from "./row-item.js";
import type { RowSource } from "./row-source.js";
import { RowWriter } from "./row-writer.js";
import { SortedRows } from "./sorted-rows.js";

export interface ImportPlan {
  /** "import", "apply". */
  readonly verb: string;
  /** How far reading is, in bytes. */
  readonly source: Pick<RowSource, "total" | "done">;
  readonly limits: Status["limits"];
  readonly dryRun: boolean;
  readonly keepGoing: boolean;
  readonly guarded: boolean;
  readonly renewsTtl: boolean;
  /** What to delete of, if anything. */
  readonly prune: SelectorLike | undefined;
  /** Tells of each change, "+", "~" or "-" and the key. */
  readonly lists: boolean;
}

export class ImportJob {
  readonly #invocation: Invocation;
  readonly #kv: Kvd;
  readonly #plan: ImportPlan;
  readonly #writer: RowWriter;
  /** Of the whole file; only where they are asked for. */
  readonly #kept = new SortedRows();
  readonly #startedMs = performance.now();
  #failed = 0;
  #deleted = 0;
  #declined = false;
  #revision = 0;
  #listing: Promise<void> = Promise.resolve();

  constructor(invocation: Invocation, kv: Kvd, plan: ImportPlan) {
    this.#invocation = invocation;
    this.#kv = kv;
    this.#plan = plan;
    const { signal } = invocation;
    const { limits, dryRun, keepGoing, guarded, renewsTtl } = plan;
    this.#writer = new RowWriter(kv, {
      ...{ signal, limits, dryRun, keepGoing, guarded, renewsTtl },
      refused: (put, why) => this.#fail(put.place, why),
      ...(plan.lists ? { told: (put, outcome) => this.#list(outcome, put.key) } : {}),
    });
  }

  /** Reads and writes all, then prunes. A failed row ends it, unless it is to keep going. */
  async run(rows: AsyncIterable<RowItem>): Promise<ExitCode> {
    try {
      await this.#writeAll(rows);
      if (this.#plan.prune !== undefined) await this.#prune(this.#plan.prune);
      await this.#listing;
    } catch (error) {
      await this.#writer.settle();
      throw this.#withTally(error);
    } finally {
      await this.#kept.close();
    }
    return this.#conclude();
  }

  get #stopped(): boolean {
    return this.#failed > 0 && !this.#plan.keepGoing;
  }

  async #writeAll(rows: AsyncIterable<RowItem>): Promise<void> {
    const { output, signal } = this.#invocation;
    const { dryRun, source, verb } = this.#plan;
    const label = dryRun ? "comparing" : verb === "import" ? "importing" : "applying";
    const progress = await startProgress(output, { label, total: source.total });
    try {
      let count = 0;
      for await (const item of rows) {
        if (signal.aborted || this.#stopped) break;
        await this.#take(item);
        count += 1;
        if (count % 256 === 0) progress.update(source.done, this.#writer.seen);
      }
      signal.throwIfAborted();
      await this.#writer.finish();
    } finally {
      progress.stop();
    }
  }

  async #take(item: RowItem): Promise<void> {
    if (item.kind === "broken") {
      this.#fail(item.place, item.why);
      return;
    }
    const { row, place } = item;
    if (this.#plan.prune !== undefined) {
      await this.#kept.add({ key: row.key, value: NOTHING, ttlMs: undefined, place: "" });
    }
    await this.#writer.add(putFromRow(row, place));
  }

  async #prune(selector: SelectorLike): Promise<void> {
    const { output, signal, settings } = this.#invocation;
    if (this.#failed > 0) {
      output.note("nothing was deleted, because not all of the file could be written");
      return;
    }
    const pruning = new Pruning(this.#kv, { selector, kept: this.#kept, signal });
    const told = this.#plan.lists
      ? async (key: Uint8Array) => this.#list("deleted", Buffer.from(key).toString("latin1"))
      : undefined;
    const plan = await pruning.plan(told);
    if (this.#plan.dryRun || plan.count === 0) {
      this.#deleted = plan.count;
      return;
    }
    const question = `Delete from ${settings.server} what the file lacks: ${planText(plan)}?`;
    if (!(await confirmed(this.#invocation, question))) {
      this.#declined = true;
      return;
    }
    const progress = await startProgress(output, { label: "deleting", total: plan.count });
    try {
      await this.#delete(pruning, plan, progress);
    } finally {
      progress.stop();
      this.#deleted = pruning.deleted;
      this.#revision = pruning.revision;
    }
  }

  #delete(pruning: Pruning, plan: PrunePlan, progress: Progress): Promise<void> {
    return pruning.run(plan, {
      deleted: (count) => progress.update(count, count),
      conflict: (key) =>
        this.#fail(`key ${lineText(key)}`, "it changed meanwhile, so it was not deleted"),
    });
  }

  #list(outcome: Outcome | "deleted", key: string): void {
    if (outcome === "unchanged") return;
    const { output } = this.#invocation;
    const [sign, style] = SIGNS[outcome];
    const text = `${sign} ${lineText(Buffer.from(key, "latin1"))}`;
    this.#listing = this.#listing.then(() => output.line(output.style(style, text)));
  }

  /** The summary, on standard error; as JSON it is the answer. */
  async #conclude(): Promise<ExitCode> {
    const { output } = this.#invocation;
    const { dryRun, prune } = this.#plan;
    const { tally, written } = this.#writer;
    const revision = Math.max(this.#writer.revision, this.#revision);
    if (output.format === "json" || output.format === "jsonl") {
      await output.json({
        ...(dryRun ? {} : { written }),
        ...tally,
        ...(prune === undefined ? {} : { deleted: this.#deleted }),
        failed: this.#failed,
        ...(revision === 0 ? {} : { revision }),
      });
    }
    output.note(`${this.#summary()}${this.#stopped ? "; stopped there" : ""}`);
    if (this.#failed > 0) return EXIT.partial;
    return this.#declined ? EXIT.negative : EXIT.ok;
  }

  /** An error ends it; what was written before it must be told. */
  #withTally(error: unknown): unknown {
    const { settings, signal, output } = this.#invocation;
    const again = `${this.#plan.verb} it again to go on: what is there already is skipped`;
    if (signal.aborted) {
      if (!this.#plan.dryRun) output.note(`interrupted: ${this.#summary()}; ${again}`);
      return error;
    }
    if (this.#writer.written === 0 || this.#plan.dryRun) return error;
    const before = `before that: ${this.#summary()}; ${again}`;
    const text = `${errorText(error, { settings, writes: false })}; ${before}`;
    return new Failure(exitCodeOf(error), text, { cause: error });
  }

  #summary(): string {
    const { tally, written } = this.#writer;
    const { dryRun, prune, verb } = this.#plan;
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    const { added, updated, unchanged } = tally;
    if (dryRun) {
      const deleted = prune === undefined ? "" : `, delete ${this.#deleted}`;
      const rest = `leave ${unchanged} unchanged${deleted}${failed}`;
      return `would add ${added}, update ${updated}, ${rest}`;
    }
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    const pace = seconds < 1 ? "" : `, ${Math.round(this.#writer.seen / seconds)} a second`;
    const parts = [
      ...(added > 0 ? [`${added} new`] : []),
      ...(updated > 0 ? [`${updated} changed`] : []),
    ];
    const how = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
    const same = unchanged === 0 ? "" : `, ${unchanged} unchanged`;
    const deleted = prune === undefined ? "" : `, deleted ${this.#deleted}`;
    const done = verb === "import" ? "imported" : "wrote";
    const what = `${done} ${keysText(written)}${how}${same}${deleted}${failed}`;
    return `${what} in ${seconds.toFixed(1)}s${pace}`;
  }

  #fail(place: string, what: string): void {
    this.#failed += 1;
    this.#invocation.output.error(`${place}: ${plainLine(what)}`);
  }
}

const NOTHING = new Uint8Array(0);

const SIGNS = {
  added: ["+", "green"],
  updated: ["~", "yellow"],
  deleted: ["-", "red"],
} as const;

function keysText(count: number): string {
  return count === 1 ? "1 key" : `${count} keys`;
}

/** "3 keys: a, b, c". */
function planText({ count, sample }: PrunePlan): string {
  const more = count > sample.length ? ", …" : "";
  return `${keysText(count)} (${sample.map(lineText).join(", ")}${more})`;
}
