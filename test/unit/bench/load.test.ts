// The load's own reading of the wire.

import test from "ava";
import { framed, MessageSplitter } from "../../../bench/load/message-splitter.js";
import { countOf, lastOf } from "../../../bench/load/wire-fields.js";
import { RangeResponse } from "../../../gen/grpc/kvd/v1/kv.js";

const MESSAGES = ["", "a", "b".repeat(300)].map((text) => Buffer.from(text));
const STREAM = Buffer.concat(MESSAGES.map(framed));

for (const size of [1, 4, 7, STREAM.length]) {
  test(`messages are found in chunks of ${size} bytes`, (t) => {
    const found: string[] = [];
    const splitter = new MessageSplitter((message) => found.push(message.toString()));
    const counter = new MessageSplitter();
    for (let at = 0; at < STREAM.length; at += size) {
      splitter.push(STREAM.subarray(at, at + size));
      counter.push(STREAM.subarray(at, at + size));
    }
    t.deepEqual(found, MESSAGES.map(String));
    t.is(counter.messages, MESSAGES.length);
  });
}

test("a page's rows and its token are found without decoding it", (t) => {
  const kvs = Array.from({ length: 3 }, (_, at) => ({ value: Buffer.alloc(200 * at) }));
  const page = RangeResponse.fromPartial({ revision: 9n, kvs, nextPageToken: Buffer.from("next") });
  const bytes = Buffer.from(RangeResponse.encode(page).finish());
  t.is(countOf(bytes, 2), 3);
  t.is(lastOf(bytes, 4)?.toString(), "next");
  t.is(lastOf(bytes, 3), undefined);
});
