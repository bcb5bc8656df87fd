// KvdClientError: rebuilt from the details of a status, never from its text. The texts here name
// other reasons on purpose.

import { Metadata, status } from "@grpc/grpc-js";
import test from "ava";
import { encodeMessage } from "../../../client/codec.js";
import { errorFromStatus, reasonName } from "../../../client/errors.js";
import { KvdClientError } from "../../../client/index.js";
import { ErrorInfo, ErrorReason, Status } from "../../../gen/grpc/kvd/v1/error.js";

interface Info {
  readonly reason: string;
  readonly domain?: string;
  readonly metadata?: Record<string, string>;
  readonly typeUrl?: string;
}

function detailsOf(...infos: Info[]): Metadata {
  const details = infos.map(({ reason, domain = "kvd.v1", metadata = {}, typeUrl }) => ({
    typeUrl: typeUrl ?? "type.googleapis.com/google.rpc.ErrorInfo",
    value: encodeMessage(ErrorInfo, { reason, domain, metadata }),
  }));
  const metadata = new Metadata();
  const packed = encodeMessage(Status, { code: 5, message: "", details });
  metadata.set("grpc-status-details-bin", packed);
  return metadata;
}

function errorWith(metadata: Metadata, code: status = status.OUT_OF_RANGE): KvdClientError {
  return errorFromStatus({ code, details: "REASON in the text", metadata }, "Get at x:1");
}

test("code, reason and facts come from the status and its ErrorInfo", (t) => {
  const metadata = {
    compact_revision: "97",
    mod_revision: "0",
    revision: "9007199254740991",
    resume_revision: "98",
    operation: "success[2].txn.failure[0]",
    fields: "ttl,lease_id",
    store_id: "abc",
    limit: "4",
  };
  const error = errorWith(detailsOf({ reason: "REVISION_COMPACTED", metadata }));
  t.true(error instanceof KvdClientError);
  t.is(error.code, "OUT_OF_RANGE");
  t.is(error.reason, "REVISION_COMPACTED");
  t.deepEqual(error.details, {
    compactRevision: 97,
    modRevision: 0,
    revision: Number.MAX_SAFE_INTEGER,
    resumeRevision: 98,
    operation: "success[2].txn.failure[0]",
    fields: ["ttl", "lease_id"],
    storeId: "abc",
  });
  t.like(error.metadata, { limit: "4" });
});

test("a fact that is not a number is left out", (t) => {
  const metadata = { compact_revision: "many", mod_revision: "", revision: "9007199254740993" };
  const error = errorWith(detailsOf({ reason: "REVISION_COMPACTED", metadata }));
  t.deepEqual(error.details, {});
});

test("a reason that this client does not know is passed on", (t) => {
  t.is(errorWith(detailsOf({ reason: "TOO_FULL_MOON" })).reason as string, "TOO_FULL_MOON");
});

test("details of others are passed over", (t) => {
  const foreign = [
    { reason: "QUOTA", domain: "example.com" },
    { reason: "QUOTA", typeUrl: "type.googleapis.com/google.rpc.QuotaFailure" },
  ];
  t.is(errorWith(detailsOf(...foreign)).reason, undefined);
  t.is(errorWith(detailsOf(...foreign, { reason: "KEY_EMPTY" })).reason, "KEY_EMPTY");
});

test("details that cannot be decoded leave the status as it is", (t) => {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff, 0xff]));
  const error = errorWith(metadata, status.NOT_FOUND);
  t.is(error.code, "NOT_FOUND");
  t.is(error.reason, undefined);
});

test("an error of the transport names the call", (t) => {
  const error = errorWith(new Metadata(), status.UNAVAILABLE);
  t.is(error.code, "UNAVAILABLE");
  t.is(error.reason, undefined);
  t.regex(error.message, /^Get at x:1: /);
});

test("a status code that is not one is UNKNOWN", (t) => {
  t.is(errorWith(new Metadata(), 99 as status).code, "UNKNOWN");
});

test("reasons that come as numbers have the names of the contract", (t) => {
  t.is(reasonName(ErrorReason.PRECONDITION_FAILED), "PRECONDITION_FAILED");
  t.is(reasonName(999 as ErrorReason) as string, "REASON_999");
});
