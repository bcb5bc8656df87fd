// Writes rows where they differ from the store, in atomic batches, and counts what it did.
//
// Each batch is looked up and then written as one transaction of what differs, so that a second run
// writes only what the first one left: it goes on where that stopped.

import type { Kvd, KvdClientError, Status } from "../../index.js";
import { plainLine } from "../terminal-text.js";
import { writeBatch } from "./atomic-batch.js";
import { BatchSender, type PlacedPut } from "./batch-sender.js";
import { Comparer, type Outcome } from "./comparison.js";

export interface WriterOptions {
  readonly signal: AbortSignal;
  readonly limits: Status["limits"];
  /** Write nothing; only compare. */
  readonly dryRun: boolean;
  /** Go on after a row that is refused. */
  readonly keepGoing: boolean;
  /** Write only what is as it was compared, so that no change in between is lost. */
  readonly guarded: boolean;
  /** A ttl is set anew although the value is the same. */
  readonly renewsTtl: boolean;
  readonly refused: (put: PlacedPut, why: string) => void;
  /** What became of a row; with dryRun, what would. */
  readonly told?: (put: PlacedPut, outcome: Outcome) => void;
}

interface Change {
  readonly put: PlacedPut;
  readonly outcome: Exclude<Outcome, "unchanged">;
  readonly modRevision: number;
}

const BATCH_MAX_OPERATIONS = 1_000;
const BATCH_MAX_BYTES = 1024 * 1024;
const MAX_IN_FLIGHT = 4;

export class RowWriter {
  readonly tally: Record<Outcome, number> = { added: 0, updated: 0, unchanged: 0 };
  /** The newest revision that was written; 0: none. */
  revision = 0;
  readonly #kv: Pick<Kvd, "batch" | "get" | "txn">;
  readonly #options: WriterOptions;
  readonly #comparer: Comparer;
  readonly #sender: BatchSender;

  constructor(kv: Pick<Kvd, "batch" | "get" | "txn">, options: WriterOptions) {
    this.#kv = kv;
    this.#options = options;
    this.#comparer = new Comparer(kv, options);
    const limit = options.limits.find(({ flag }) => flag === "--txn-max-operations")?.value;
    this.#sender = new BatchSender({
      maxOperations: Math.min(BATCH_MAX_OPERATIONS, limit ?? BATCH_MAX_OPERATIONS),
      maxBytes: BATCH_MAX_BYTES,
      maxInFlight: MAX_IN_FLIGHT,
      send: (puts) => this.#send(puts),
    });
  }

  get written(): number {
    return this.tally.added + this.tally.updated;
  }

  /** All that was gone through. */
  get seen(): number {
    return this.written + this.tally.unchanged;
  }

  add(put: PlacedPut): Promise<void> {
    return this.#sender.add(put);
  }

  finish(): Promise<void> {
    return this.#sender.finish();
  }

  /** Waits for what is on its way, whatever becomes of it. */
  settle(): Promise<void> {
    return this.#sender.settle();
  }

  async #send(puts: readonly PlacedPut[]): Promise<void> {
    const { dryRun, keepGoing, refused } = this.#options;
    const comparisons = await this.#comparer.compare(puts);
    const changes: Change[] = [];
    for (const [index, put] of puts.entries()) {
      const comparison = comparisons[index];
      if (comparison === undefined) continue;
      if (comparison.kind === "refused") {
        refused(put, comparison.why);
        if (!keepGoing) break;
      } else if (comparison.kind === "unchanged" || dryRun) {
        this.#count(put, comparison.kind);
      } else {
        changes.push({ put, outcome: comparison.kind, modRevision: comparison.modRevision });
      }
    }
    if (changes.length > 0) await this.#write(changes);
  }

  async #write(changes: readonly Change[]): Promise<void> {
    const { guarded, keepGoing, refused } = this.#options;
    await writeBatch(changes, {
      // Not ended by the signal: what it wrote has to be counted.
      txn: (spec) => this.#kv.txn(spec),
      operation: ({ put: { operation }, modRevision: expectedModRevision }) =>
        guarded
          ? { ...operation, options: { ...operation.options, expectedModRevision } }
          : operation,
      done: (items, revision) => {
        this.revision = Math.max(this.revision, revision);
        for (const { put, outcome } of items) this.#count(put, outcome);
      },
      refused: ({ put, modRevision }, error) => {
        refused(put, refusalText(error, modRevision));
        return keepGoing;
      },
    });
  }

  #count(put: PlacedPut, outcome: Outcome): void {
    this.tally[outcome] += 1;
    this.#options.told?.(put, outcome);
  }
}

/** Of a row that was not written. */
function refusalText({ reason, message, details }: KvdClientError, modRevision: number): string {
  if (reason !== "PRECONDITION_FAILED") {
    return plainLine(`${message} (${reason ?? "REQUEST_TOO_LARGE"})`);
  }
  const was = modRevision === 0 ? "absent" : `of revision ${modRevision}`;
  const now = details.modRevision === 0 ? "absent" : `of revision ${details.modRevision}`;
  return `its key changed meanwhile: it was ${was} when compared, and is ${now}; not written`;
}
