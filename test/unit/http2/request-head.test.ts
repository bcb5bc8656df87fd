// Which fields are a request, and which may stand in a message at all: RFC 9113, sections 8.2 and
// 8.3.

import test, { type ExecutionContext } from "ava";
import { HpackDecoder } from "../../../server/http2/hpack-decoder.js";
import { areFields, requestHead } from "../../../server/http2/request-head.js";
import { indexed } from "../../support/http2/header-block.js";

type Field = readonly [name: string, value: string];

const METHOD: Field = [":method", "POST"];
const SCHEME: Field = [":scheme", "http"];
const PATH: Field = [":path", "/kvd.v1.Kv/Put"];
const GOOD = [METHOD, SCHEME, PATH];

function headOf(...fields: readonly Field[]) {
  return requestHead(fields.map(([name, value]) => ({ name, value })));
}

test("a request has its method, path and authority, and its other fields", (t) => {
  const head = headOf(...GOOD, [":authority", "kvd:7856"], ["te", "trailers"], ["a-b_1", "c d"]);
  t.like(head, {
    method: "POST",
    path: "/kvd.v1.Kv/Put",
    authority: "kvd:7856",
    contentBytes: undefined,
  });
  t.deepEqual(
    head?.fields.map(({ name, value }) => [name, value]),
    [
      ["te", "trailers"],
      ["a-b_1", "c d"],
    ],
  );
});

test("the order of pseudo-fields is free", (t) => {
  t.is(headOf(PATH, [":authority", "a"], SCHEME, METHOD)?.path, "/kvd.v1.Kv/Put");
});

test("the authority is the host field's when there is no other", (t) => {
  t.is(headOf(...GOOD, ["host", "here"])?.authority, "here");
  t.is(headOf(...GOOD, [":authority", "there"], ["host", "here"])?.authority, "there");
  t.is(headOf(...GOOD)?.authority, "");
});

test("a field may come more than once", (t) => {
  t.is(headOf(...GOOD, ["a", "1"], ["a", "2"])?.fields.length, 2);
});

test("content-length is read, and may come again if it says the same", (t) => {
  t.is(headOf(...GOOD, ["content-length", "0"])?.contentBytes, 0);
  t.is(headOf(...GOOD, ["content-length", "12"], ["content-length", "12"])?.contentBytes, 12);
});

const noRequest = test.macro((t: ExecutionContext, ...fields: Field[]) => {
  t.is(headOf(...fields), undefined);
  t.not(headOf(...GOOD), undefined);
});

test("no request: no fields", noRequest);
test("no request: no method", noRequest, SCHEME, PATH);
test("no request: no scheme", noRequest, METHOD, PATH);
test("no request: no path", noRequest, METHOD, SCHEME);
test("no request: an empty path", noRequest, METHOD, SCHEME, [":path", ""]);
test("no request: an empty method", noRequest, [":method", ""], SCHEME, PATH);
test("no request: two methods", noRequest, ...GOOD, METHOD);
test("no request: two schemes", noRequest, ...GOOD, SCHEME);
test("no request: two paths", noRequest, ...GOOD, PATH);
test("no request: two authorities", noRequest, ...GOOD, [":authority", "a"], [":authority", "a"]);
test("no request: a pseudo-field of answers", noRequest, ...GOOD, [":status", "200"]);
test("no request: an unknown pseudo-field", noRequest, ...GOOD, [":protocol", "websocket"]);
test("no request: a pseudo-field after others", noRequest, METHOD, SCHEME, ["a", "b"], PATH);
test("no request: a path with a line's end", noRequest, METHOD, SCHEME, [":path", "/a\r\nb: c"]);
test("no request: a path with a zero", noRequest, METHOD, SCHEME, [":path", "/a\0"]);
test("no request: an authority with a line's end", noRequest, ...GOOD, [":authority", "a\nb"]);
test("no request: a content-length of words", noRequest, ...GOOD, ["content-length", "ten"]);
test("no request: a content-length below 0", noRequest, ...GOOD, ["content-length", "-1"]);
test("no request: a content-length of nothing", noRequest, ...GOOD, ["content-length", ""]);
test(
  "no request: two content-lengths that differ",
  noRequest,
  ...GOOD,
  ["content-length", "1"],
  ["content-length", "2"],
);

const noField = test.macro((t: ExecutionContext, name: string, value: string) => {
  t.false(areFields([{ name, value }]));
  t.is(headOf(...GOOD, [name, value]), undefined);
});

test("no field: an upper-case letter in its name", noField, "Content-type", "a");
test("no field: no name", noField, "", "a");
test("no field: a space in its name", noField, "a b", "a");
test("no field: a colon in its name", noField, "a:b", "a");
test("no field: a zero in its name", noField, "a\0", "a");
test("no field: a byte above 127 in its name", noField, "\u00e9", "a");
test("no field: a zero in its value", noField, "a", "b\0c");
test("no field: CR in its value", noField, "a", "b\rc");
test("no field: LF in its value", noField, "a", "b\nc");
test("no field: a space before its value", noField, "a", " b");
test("no field: a space behind its value", noField, "a", "b ");
test("no field: a tab before its value", noField, "a", "\tb");
test("no field: a tab behind its value", noField, "a", "b\t");
test("no field: a space for a value", noField, "a", " ");
test("no field: connection", noField, "connection", "close");
test("no field: keep-alive", noField, "keep-alive", "5");
test("no field: proxy-connection", noField, "proxy-connection", "close");
test("no field: transfer-encoding", noField, "transfer-encoding", "chunked");
test("no field: upgrade", noField, "upgrade", "h2c");
test("no field: te that wants more than trailers", noField, "te", "trailers, deflate");
test("no field: te of nothing", noField, "te", "");

test("a value may be empty, and hold spaces, tabs and bytes above 127", (t) => {
  t.true(areFields([{ name: "a", value: "" }]));
  t.true(areFields([{ name: "a", value: "b \t c\u00ff" }]));
  t.true(areFields([{ name: "!#$%&'*+-.^_`|~09az", value: "x" }]));
});

test("a field of a table is judged the same each time it comes", (t) => {
  const decoder = new HpackDecoder({ tableMaxBytes: 4096, listMaxBytes: 4096 });
  const transferEncoding = 57;
  for (let round = 0; round < 3; round += 1) {
    t.false(areFields(decoder.decode(indexed(transferEncoding)).fields));
    t.true(areFields(decoder.decode(indexed(58)).fields), "user-agent");
    t.false(areFields(decoder.decode(indexed(2)).fields), ":method");
  }
});
