// What a case of the suite is, and what it gets to work with.
//
// A case starts the servers that it needs, measures them in turn, round by round, and says what it
// has measured under names. Goals are ratios between two of these names.

import type { BenchOptions } from "./arguments.js";
import type { KvdOptions } from "./servers/kvd.js";
import type { ServerProcess } from "./servers/server-process.js";

export interface Series {
  readonly case: string;
  /** Who did what, such as "kvd Get". */
  readonly name: string;
  readonly unit: string;
  readonly values: number[];
  /** What server and sender used of their cores, where that was measured; in percent. */
  readonly shares: Shares[];
}

export interface Shares {
  readonly server: number;
  /** Near 100: it is the sender that was measured. */
  readonly sender?: number;
}

/** A ratio of two series of the case that has to reach a bound, or to stay below it. */
export interface Goal {
  /** The row of the table in docs/performance.md. */
  readonly row: number;
  readonly text: string;
  readonly over: string;
  readonly under: string;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

export interface Case {
  readonly name: string;
  readonly about: string;
  readonly goals: readonly Goal[];
  /** Not of the quick set: runs with --all, with --big, or by its name. */
  readonly set?: "all" | "big";
  run(bench: Bench): Promise<void>;
}

export type Peer = "etcd" | "redis" | "h2load";

export interface Bench {
  readonly options: BenchOptions;
  /** Whether this peer is wanted and there. */
  has(peer: Peer): boolean;
  /** A folder of its own for this case, that does not exist yet. */
  path(name: string): string;
  /** Stopped when the case ends. */
  use(server: Promise<ServerProcess>): Promise<ServerProcess>;
  /** kvd with the Node of the options, under the profiler if that is wanted. */
  kvd(options?: Partial<KvdOptions>): Promise<ServerProcess>;
  record(name: string, unit: string, value: number, shares?: Shares): void;
  /** Says something of interest that is not a series. */
  note(text: string): void;
  /** Measures each in turn, as often as there are rounds. */
  inTurn(subjects: Readonly<Record<string, Subject>>): Promise<void>;
}

/** Undefined: a peer that is not there. */
export type Subject = ((round: number) => Promise<void>) | undefined;

export const RATE = "a second";
