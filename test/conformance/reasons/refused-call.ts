// A refusal that belongs to one call, or to a call as a whole.

import type { ExecutionContext } from "ava";
import type { Reason } from "../../../server/kv/errors.js";
import type { Limits } from "../../../server/kv/limits.js";
import type { Fixture } from "./fixture.js";
import type { Refusal } from "./refusal.js";

export type CallPlace =
  | "unary"
  | "txn"
  | "nested txn"
  | "batch"
  | "pipeline"
  | "watch"
  | "multi-watch"
  | "keep-alive";

export interface RefusedCall {
  readonly reason: Reason;
  readonly place: CallPlace;
  readonly what: string;
  readonly limits?: Partial<Limits>;
  readonly refuse: (fixture: Fixture, t: ExecutionContext) => Promise<Refusal>;
  readonly metadata?: { readonly [name: string]: string };
  /** The engine is closed first. */
  readonly closed?: true;
  /** What a stream gives before its end. */
  readonly before?: readonly string[];
}
