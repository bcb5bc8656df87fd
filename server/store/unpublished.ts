// Steps that are not durable yet: published in order when they are, and taken back, the newest
// first, when they never will be.

import type { Revision } from "../kv/types.js";
import type { Position, RowSpan } from "./backend.js";
import type { History, NewCommit } from "./history.js";
import type { KeySpace } from "./key-space.js";
import type { Lease, Lessor } from "./lessor.js";
import { NO_ROW, type Row } from "./row-layout.js";

export interface Step {
  readonly position: Position;
  /** Undefined when the keys did not change. */
  readonly commit: NewCommit | undefined;
  readonly begun: readonly Lease[];
  /** With their deadlines; their keys are those of the commit. */
  readonly ended: readonly Lease[];
  readonly compactRevision: Revision | undefined;
  /** What it does once it is durable. */
  readonly onPublish: (() => void) | undefined;
  readonly renewed: { readonly lease: Lease; readonly rank: number } | undefined;
}

const NONE: readonly Step[] = [];

export class Unpublished {
  #steps: Step[] = [];

  get size(): number {
    return this.#steps.length;
  }

  push(step: Step): void {
    this.#steps.push(step);
  }

  /** Those up to a position, oldest first; they are not here any more. */
  take(durable: Position): readonly Step[] {
    const steps = this.#steps;
    let count = 0;
    while (count < steps.length && (steps[count] as Step).position <= durable) count += 1;
    if (count === 0) return NONE;
    if (count < steps.length) return steps.splice(0, count);
    this.#steps = [];
    return steps;
  }

  /** Takes all of them back. */
  undo(from: {
    readonly keys: KeySpace;
    readonly lessor: Lessor;
    readonly history: History;
  }): void {
    const { keys, lessor, history } = from;
    for (const step of this.#steps.reverse()) {
      for (const lease of step.ended) lessor.restore(lease);
      if (step.renewed !== undefined) lessor.setDeadline(step.renewed.lease, step.renewed.rank);
      if (step.commit !== undefined) {
        const { first, length } = step.commit;
        undoRows({ rows: keys.rows, first, length }, { keys, lessor });
        history.dropNewest();
      }
      for (const lease of step.begun) lessor.end(lease);
    }
    this.#steps = [];
  }
}

/** Takes back what was added last. Leases that were ended with it have to be there again. */
export function undoRows(
  { rows, first, length }: RowSpan,
  { keys, lessor }: { readonly keys: KeySpace; readonly lessor: Lessor },
): void {
  const added: Row[] = [];
  for (let row = first; added.length < length; row = rows.after(row)) added.push(row);
  for (const row of added.reverse()) {
    const id = keys.keyOf(row);
    lessor.detach(rows.leaseIdOf(row), id);
    const before = keys.takeBack(id);
    if (before !== NO_ROW) lessor.attach(rows.leaseIdOf(before), id);
  }
}
