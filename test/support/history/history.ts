// What a history is: which clients called what, when, and what they were answered; what watches
// told; and, read from the server when all is over, what has really happened.
//
// Every call is a txn here: compares, and the operations of two branches. A single put is one
// without compares, a conditional put one with a compare. Values are never empty and never written
// twice, so a value names its write. Times are ticks: places in one order of all that one process
// has seen.

/** What a key holds that is absent. */
export const ABSENT = "";

export type Keys = { readonly key: string } | { readonly prefix: string };

/** Holds when the key has this value; ABSENT: when there is no such key. */
export interface Compare {
  readonly key: string;
  readonly is: string;
}

export type Operation =
  | { readonly kind: "read"; readonly keys: Keys }
  /** A leased key may be gone at any time after, by itself. */
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly leased?: true }
  | { readonly kind: "delete"; readonly keys: Keys };

export interface Command {
  readonly compares: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

export interface Held {
  readonly key: string;
  readonly value: string;
  /** The revision that wrote it. */
  readonly revision: number;
}

export type Answer =
  | { readonly kind: "read"; readonly entries: readonly Held[] }
  | { readonly kind: "put" }
  | { readonly kind: "delete"; readonly deleted: number };

export interface Answered {
  readonly kind: "answered";
  readonly tick: number;
  /** Undefined where the call does not tell it. */
  readonly revision: number | undefined;
  readonly succeeded: boolean;
  /** Of the branch that was applied. */
  readonly answers: readonly Answer[];
}

export type Outcome =
  | Answered
  /** It has changed nothing. */
  | { readonly kind: "refused"; readonly tick: number }
  /** It may take effect at any time after its call, but not after `until`, or never. */
  | { readonly kind: "unknown"; readonly until?: number };

/** Calls of one batch stand one after the other, with the tick of the batch. */
export interface Call {
  /** Has one call at a time. */
  readonly client: string;
  readonly tick: number;
  readonly command: Command;
  readonly outcome: Outcome;
}

export interface Change {
  readonly key: string;
  /** ABSENT: it was deleted. */
  readonly value: string;
  /** It was deleted because its lease ended. */
  readonly expired?: true;
}

/** What a watch of all keys told in one step: a revision, or progress, which changes nothing. */
export interface Sighting {
  readonly watch: string;
  readonly tick: number;
  readonly revision: number;
  readonly changes: readonly Change[];
}

export interface WatchStart {
  readonly watch: string;
  /** The first revision that it tells. */
  readonly revision: number;
}

export interface History {
  readonly calls: readonly Call[];
  readonly watches: readonly WatchStart[];
  readonly sightings: readonly Sighting[];
}

export interface Commit {
  readonly revision: number;
  readonly changes: readonly Change[];
}

/** What has happened, from the beginning, as the server tells it when all is over. */
export interface Journal {
  /** In order. */
  readonly commits: readonly Commit[];
  /** The newest. */
  readonly revision: number;
}

export function selects(keys: Keys, key: string): boolean {
  return "key" in keys ? keys.key === key : key.startsWith(keys.prefix);
}

export function showCall({ client, tick, command }: Call): string {
  const compares = command.compares.map(({ key, is }) => `if ${key} is ${is || "absent"}`);
  const show = (operation: Operation) => {
    if (operation.kind === "put") return `put ${operation.key} ${operation.value}`;
    const { keys } = operation;
    return `${operation.kind} ${"key" in keys ? keys.key : `${keys.prefix}*`}`;
  };
  const branch = (word: string, operations: readonly Operation[]) =>
    operations.length === 0 ? [] : [`${word} ${operations.map(show).join(", ")}`];
  const parts = [...compares, ...branch("then", command.success)];
  return `${client}@${tick}: ${[...parts, ...branch("else", command.failure)].join(" ")}`;
}
