// Which txns could write a key twice.

import test from "ava";
import { KvdError } from "../../../server/kv/errors.js";
import type { Selector } from "../../../server/kv/selector.js";
import type { Operation, TxnCommand } from "../../../server/kv/types.js";
import { refuseDuplicates } from "../../../server/store/txn-duplicates.js";

const put = (key: string): Operation => ({
  kind: "put",
  put: {
    key: Buffer.from(key),
    value: Buffer.from("v"),
    lease: { kind: "none" },
    expectedModRevision: undefined,
    returnPrevious: false,
  },
});

const del = (selector: Selector): Operation => ({
  kind: "delete",
  delete: {
    selector,
    limit: 0,
    maxKeys: 10,
    expectedModRevision: undefined,
    returnPrevious: false,
    maxBytes: 10,
  },
});

const key = (text: string): Selector => ({ kind: "key", key: Buffer.from(text) });
const prefix = (text: string): Selector => ({ kind: "prefix", prefix: Buffer.from(text) });
const all: Selector = { kind: "all" };

const txn = (success: Operation[], failure: Operation[] = []): TxnCommand => ({
  compares: [],
  success,
  failure,
});
const nested = (success: Operation[], failure: Operation[] = []): Operation => ({
  kind: "txn",
  txn: txn(success, failure),
});

const refused: [string, TxnCommand][] = [
  ["two puts", txn([put("a"), put("a")])],
  ["two puts in the failure branch", txn([], [put("a"), put("a")])],
  ["a put, then a delete of its key", txn([put("a"), del(key("a"))])],
  ["a delete, then a put of its key", txn([del(key("a")), put("a")])],
  ["a put below a deleted prefix", txn([del(prefix("a/")), put("a/b")])],
  ["a put and a delete of all", txn([put("a"), del(all)])],
  ["a put, and one in a nested txn", txn([put("a"), nested([put("a")])])],
  ["a put, and one in a nested txn's failure", txn([put("a"), nested([], [put("a")])])],
  ["puts in two nested txns beside each other", txn([nested([put("a")]), nested([put("a")])])],
  ["a nested put and an outer delete", txn([nested([put("a")]), del(prefix("a"))])],
  ["an outer put and a nested delete", txn([put("a"), nested([del(all)])])],
  ["deep", txn([nested([nested([put("a")])]), nested([], [nested([put("a")])])])],
];

for (const [what, command] of refused) {
  test(`a txn is refused for ${what}`, (t) => {
    const error = t.throws(() => refuseDuplicates(command), { instanceOf: KvdError });
    t.is(error?.reason, "DUPLICATE_KEY");
  });
}

const accepted: [string, TxnCommand][] = [
  ["puts of one key in both branches", txn([put("a")], [put("a")])],
  ["puts of one key in both branches of a nested txn", txn([nested([put("a")], [put("a")])])],
  ["a put and a delete in the two branches of a nested txn", txn([nested([put("a")], [del(all)])])],
  ["two deletes of one key", txn([del(key("a")), del(key("a"))])],
  ["a delete of a prefix and a put beside it", txn([del(prefix("a/")), put("a0")])],
  ["a put at the end of a deleted interval", txn([put("b"), del(interval("a", "b"))])],
  ["a put and the delete of an empty interval", txn([put("b"), del(interval("c", "a"))])],
];

function interval(start: string, end: string): Selector {
  return { kind: "interval", start: Buffer.from(start), end: Buffer.from(end) };
}

for (const [what, command] of accepted) {
  test(`a txn may have ${what}`, (t) => {
    t.notThrows(() => refuseDuplicates(command));
  });
}
