// Which requests only read, so that sending them twice does no harm. A kind of operation that is
// not known to read counts as a write.

import type { BatchOperation, BatchRequest, Operation, TxnRequest } from "../gen/grpc/kvd/v1/kv.js";

export function txnReads({ success, failure }: TxnRequest): boolean {
  return success.every(operationReads) && failure.every(operationReads);
}

export function batchReads({ operations }: BatchRequest): boolean {
  return operations.every(({ operation }: BatchOperation) => operation?.$case === "get");
}

function operationReads({ operation }: Operation): boolean {
  switch (operation?.$case) {
    case "get":
    case "range":
      return true;
    case "txn":
      return txnReads(operation.value);
    default:
      return false;
  }
}
