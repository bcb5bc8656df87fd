// Which txns and batches only read, and so may be sent again.

import test from "ava";
import { del, get, type Operation, put, range, txn } from "../../../client/index.js";
import { batchReads, txnReads } from "../../../client/reads.js";
import { batchOperation, txnRequest } from "../../../client/requests.js";

const reads = (success: readonly Operation[], failure: readonly Operation[] = []) =>
  txnReads(txnRequest({ success, failure }));

test("a txn of nothing but reads, in both branches and in nested txns, only reads", (t) => {
  t.true(reads([]));
  t.true(reads([get("a"), range({ all: true })], [get("b")]));
  t.true(reads([txn({ success: [get("a")] })]));
});

test("one write, wherever it is, makes a txn a write", (t) => {
  t.false(reads([get("a"), put("a", "")]));
  t.false(reads([get("a")], [del("a")]));
  t.false(reads([txn({ failure: [put("a", "")] })]));
});

test("a batch of gets only reads", (t) => {
  t.true(batchReads({ operations: [get("a"), get("b")].map(batchOperation) }));
  t.false(batchReads({ operations: [get("a"), del("b")].map(batchOperation) }));
});

test("an operation that is not known counts as a write", (t) => {
  t.false(txnReads({ compares: [], success: [{ operation: undefined }], failure: [] }));
});
