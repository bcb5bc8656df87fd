// Servers that do not quite do what they are asked, to see whether the judge finds out: a real etcd
// that is asked for something else than the other one.

import type { WatchCreateRequest, WatchResponse } from "../../../gen/grpc/etcd/rpc.js";
import type { Scope } from "../process.js";
import { EtcdCalls, type UnaryOperation } from "./etcd-calls.js";
import type { Operation } from "./operations.js";
import type { Outcome } from "./outcome.js";
import type { WatchLog } from "./watch-log.js";

interface Mistake {
  readonly title: string;
  readonly change: Change;
}

type Change = (operation: Operation) => Operation;

const LAST = 2n ** 63n - 1n;

export const MISTAKES: readonly Mistake[] = [
  {
    title: "counts one key of a range",
    change: (operation) =>
      operation.kind === "range" && operation.request.countOnly
        ? { ...operation, request: { ...operation.request, rangeEnd: Buffer.alloc(0) } }
        : operation,
  },
  {
    title: "forgets what was there before",
    change: (operation) =>
      operation.kind === "put"
        ? { ...operation, request: { ...operation.request, prevKv: false } }
        : operation,
  },
  {
    title: "loses the lease of a key",
    change: (operation) =>
      operation.kind === "put"
        ? { ...operation, request: { ...operation.request, ignoreLease: false } }
        : operation,
  },
  {
    title: "tells of the past from one revision later",
    change: (operation) =>
      changedWatch(operation, ({ startRevision, ...request }) => ({
        ...request,
        startRevision:
          startRevision > 0n && startRevision < LAST ? startRevision + 1n : startRevision,
      })),
  },
  {
    title: "tells of deletes that are not asked for",
    change: (operation) => changedWatch(operation, (request) => ({ ...request, filters: [] })),
  },
];

function changedWatch(
  operation: Operation,
  change: (request: WatchCreateRequest) => WatchCreateRequest,
): Operation {
  if (operation.kind !== "watch") return operation;
  return { ...operation, request: change(operation.request) };
}

export class MistakenCalls extends EtcdCalls {
  readonly #change: Change;

  constructor(scope: Scope, address: string, change: Change) {
    super(scope, address);
    this.#change = change;
  }

  override perform(operation: UnaryOperation): Promise<Outcome> {
    return super.perform(this.#change(operation) as UnaryOperation);
  }

  override openWatches(): WatchLog {
    const log = super.openWatches();
    const create = log.create.bind(log);
    log.create = (request: WatchCreateRequest): Promise<WatchResponse> => {
      const changed = this.#change({ kind: "watch", request });
      return create(changed.kind === "watch" ? changed.request : request);
    };
    return log;
  }
}
