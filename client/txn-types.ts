// The public shapes of transactions and batches: compares and operations, which the builders of
// txn.ts make, and what they answer.

import type { Reason } from "./errors.js";
import type {
  CallOptions,
  DeleteOptions,
  DeleteResult,
  Entry,
  GetOptions,
  KeyLike,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  SelectorLike,
  ValueLike,
} from "./types.js";

/** How the stored side relates to the given one. */
export type Relation = "=" | "!=" | "<" | ">";

/** Made with compare.value() and its like, absent() and exists(). */
export interface Compare {
  readonly selector: SelectorLike;
  readonly relation: Relation;
  readonly target:
    | { readonly kind: "version" | "createRevision" | "modRevision"; readonly value: number }
    | { readonly kind: "value"; readonly value: ValueLike }
    | { readonly kind: "leaseId"; readonly value: bigint }
    | { readonly kind: "exists"; readonly value: boolean };
}

/** Made with get(), range(), put(), del() and txn(). */
export type Operation =
  | {
      readonly kind: "get";
      readonly key: KeyLike;
      readonly options: Omit<GetOptions, keyof CallOptions>;
    }
  | {
      readonly kind: "range";
      readonly selector: SelectorLike;
      readonly options: Omit<RangeOptions, keyof CallOptions | "pageToken">;
    }
  | {
      readonly kind: "put";
      readonly key: KeyLike;
      readonly value: ValueLike;
      readonly options: Omit<PutOptions, keyof CallOptions>;
    }
  | {
      readonly kind: "delete";
      readonly selector: SelectorLike;
      readonly options: Omit<DeleteOptions, keyof CallOptions>;
    }
  | { readonly kind: "txn"; readonly txn: TxnSpec };

/** If all compares hold, `success` is applied, else `failure`: atomically, in one revision. */
export interface TxnSpec {
  /** None: it holds. All see the state before the txn. */
  readonly compare?: readonly Compare[];
  /** Each operation sees the ones before it. */
  readonly success?: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** The answer of an operation, of the same kind as that. */
export type OperationResult =
  | { readonly kind: "get"; readonly revision: number; readonly entry: Entry | undefined }
  | ({ readonly kind: "range" } & RangeResult)
  | ({ readonly kind: "put" } & PutResult)
  | ({ readonly kind: "delete" } & DeleteResult)
  | ({ readonly kind: "txn" } & TxnResult);

export interface TxnResult {
  /** The revision of the changes; the current one when nothing changed. */
  readonly revision: number;
  /** All compares held, so `success` was applied. */
  readonly succeeded: boolean;
  /** One for each operation of the branch that was applied, in order. */
  readonly results: readonly OperationResult[];
}

/** One of get(), put() and del() of a single key. */
export type BatchOperation = Extract<Operation, { kind: "get" | "put" | "delete" }>;

/** The answer of an operation of a batch, or why there is none. */
export type BatchResultItem =
  | Extract<OperationResult, { kind: "get" | "put" | "delete" }>
  | {
      readonly kind: "failure";
      /**
       * Such as PRECONDITION_FAILED. This operation changed nothing; the others are not touched.
       */
      readonly reason: Reason;
      /** For people. */
      readonly message: string;
      /** With PRECONDITION_FAILED: 0 when the key is absent. */
      readonly modRevision: number;
    };

export interface BatchResult {
  /** After the last operation. */
  readonly revision: number;
  /** One for each operation, in order. */
  readonly results: readonly BatchResultItem[];
}
