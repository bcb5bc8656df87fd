// Steps that are not durable yet: published in order when they are, and taken back, the newest
// first, when they never will be.

import type { Revision } from "../kv/types.js";
import type { Position } from "./backend.js";
import type { History } from "./history.js";
import type { KeySpace } from "./key-space.js";
import type { Lease, Lessor } from "./lessor.js";
import type { Change, Commit } from "./version.js";

export interface Step {
  readonly position: Position;
  /** Undefined when the keys did not change. */
  readonly commit: Commit | undefined;
  readonly begun: readonly Lease[];
  /** With their deadlines; their keys are those of the commit. */
  readonly ended: readonly Lease[];
  readonly compactRevision: Revision | undefined;
  /** What it does once it is durable. */
  readonly onPublish: (() => void) | undefined;
  readonly renewed: { readonly lease: Lease; readonly rank: number } | undefined;
}

export class Unpublished {
  #steps: Step[] = [];

  push(step: Step): void {
    this.#steps.push(step);
  }

  /** Those up to a position, oldest first; they are not here any more. */
  take(durable: Position): readonly Step[] {
    let count = 0;
    while (count < this.#steps.length && (this.#steps[count] as Step).position <= durable) {
      count += 1;
    }
    return this.#steps.splice(0, count);
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
        undoChanges(step.commit.changes, { keys, lessor });
        history.dropNewest();
      }
      for (const lease of step.begun) lessor.end(lease);
    }
    this.#steps = [];
  }
}

/** Takes back what was changed last. Leases that were ended with it have to be there again. */
export function undoChanges(
  changes: readonly Change[],
  { keys, lessor }: { readonly keys: KeySpace; readonly lessor: Lessor },
): void {
  for (const { record, version } of [...changes].reverse()) {
    lessor.detach(version.leaseId, record.key);
    keys.takeBack(record);
    const before = record.live;
    if (before !== undefined) lessor.attach(before.leaseId, record.key);
  }
}
