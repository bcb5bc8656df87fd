// Results of batches as messages of kvd.v1.

import type { BatchResult, Failure } from "../../gen/grpc/kvd/v1/kv.js";
import { shortText } from "../grpc/failures.js";
import type { KvdError } from "../kv/errors.js";
import type { BatchResultItem } from "../kv/types.js";
import { deleteResponse, getResponse, putResponse } from "./messages.js";
import { protoReason } from "./status.js";

/** The results of one batch, in order. */
export class BatchResults {
  #spareBytes: number;

  /** Failures lose their text where `spareBytes` do not hold it: an answer keeps its limit. */
  constructor(spareBytes: number) {
    this.#spareBytes = spareBytes;
  }

  result(item: BatchResultItem): BatchResult {
    switch (item.kind) {
      case "get":
        return { result: { $case: "get", value: getResponse(item.get) } };
      case "put":
        return { result: { $case: "put", value: putResponse(item.put) } };
      case "delete":
        return { result: { $case: "delete", value: deleteResponse(item.delete) } };
      case "failure":
        return { result: { $case: "failure", value: this.#failure(item.error) } };
    }
  }

  #failure(error: KvdError): Failure {
    const text = shortText(error.message);
    const bytes = Buffer.byteLength(text);
    const fits = bytes <= this.#spareBytes;
    if (fits) this.#spareBytes -= bytes;
    return {
      reason: protoReason(error.reason),
      modRevision: BigInt(error.details.modRevision ?? 0),
      message: fits ? text : "",
    };
  }
}
