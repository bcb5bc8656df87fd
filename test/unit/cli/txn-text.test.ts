// A txn as text and as JSON, and back.

import test from "ava";
import fc from "fast-check";
import { txnFromText } from "../../../client/cli/txn-grammar.js";
import { txnFromForm } from "../../../client/cli/txn-json.js";
import { formOfTxn, textOfTxn } from "../../../client/cli/txn-text.js";
import {
  absent,
  compare,
  del,
  exists,
  get,
  put,
  range,
  type TxnSpec,
  txn,
} from "../../../client/index.js";

const TEXTS: TxnSpec = {
  compare: [
    compare.modRevision({ key: "a" }, "=", 41),
    compare.createRevision({ prefix: "b/" }, "!=", 1),
    compare.version({ all: true }, ">", 2),
    compare.value({ key: "c" }, "<", "--not a flag"),
    compare.leaseId({ start: "a", end: "b" }, "=", -7n),
    absent({ key: "d" }),
    exists({ start: "e" }),
  ],
  success: [
    put("a", 'x "y" \\ ; --', { ttl: 1_500, expectedModRevision: 0, returnPrevious: true }),
    put("--", "", { leaseId: 9n }),
    put("b", "\n\t\u0000", { keepLease: true }),
    del({ prefix: "old/" }, { limit: 3, returnPrevious: true }),
    get("a b", { revision: 4 }),
  ],
  failure: [range({ all: true }, { limit: 2, order: "descending", keysOnly: true })],
};

test("what is printed is what kvctl txn reads", (t) => {
  t.deepEqual(txnFromText(textOfTxn(TEXTS) ?? ""), TEXTS);
});

test("any text goes through the grammar", (t) => {
  const texts = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(texts, texts, (key, value) => {
      const spec = { compare: [compare.value({ key }, "=", value)], success: [put(key, value)] };
      const read = txnFromText(textOfTxn(spec) ?? "");
      t.deepEqual(read, { ...spec, failure: [] });
    }),
    {
      examples: [
        ["#", "#"],
        ["-", "--"],
        ["a)", "(b"],
        ["", ""],
        ["e\u0301", "\u202e"],
      ],
    },
  );
});

test("bytes that are no text, and txns in txns, have no words and go as JSON", (t) => {
  const key = Uint8Array.of(0xff, 0);
  const spec = {
    compare: [compare.modRevision({ key: Buffer.from(key) }, "=", 3)],
    success: [put(Buffer.from(key), Buffer.from(key), { keepLease: true })],
    failure: [txn({ compare: [], success: [get(Buffer.from("a"))], failure: [] })],
  };
  t.is(textOfTxn({ success: spec.success }), undefined);
  t.is(textOfTxn({ success: spec.failure }), undefined);
  t.deepEqual(txnFromForm(formOfTxn(spec)), spec);
});

test("every form of JSON is read back as it was", (t) => {
  const again = txnFromForm(JSON.parse(JSON.stringify(formOfTxn(TEXTS))));
  t.is(textOfTxn(again), textOfTxn(TEXTS));
});
