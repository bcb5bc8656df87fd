// Frames that no generated code would write, made by hand and from the descriptors: each gets a
// status and a reason, nothing changes, and the process lives.

import { type DescField, ScalarType } from "@bufbuild/protobuf";
import test from "ava";
import {
  type FieldPath,
  fieldPaths,
  isWellFormed,
  lastOf,
  messageWith,
  pathText,
} from "../support/message-walk.js";
import {
  concat,
  END_GROUP,
  FIXED32,
  FIXED64,
  field,
  fieldOfLength,
  group,
  LENGTH_DELIMITED,
  nested,
  START_GROUP,
  tag,
  VARINT,
  varint,
  varintField,
} from "../support/wire.js";
import { Bench, methodOf, shown } from "./frames/bench.js";
import { GUARDS, METHODS, type Method, SAMPLES } from "./frames/methods.js";

const sampleOf = (method: Method) => SAMPLES[method.name] as Uint8Array;
const WITH_FIELDS = METHODS.filter(({ input }) => input.fields.length > 0);

test("there is a sample for every method, and its check by descriptor says it is well-formed", (t) => {
  t.deepEqual(Object.keys(SAMPLES).sort(), METHODS.map(({ name }) => name).sort());
  for (const method of METHODS) t.true(isWellFormed(method.input, sampleOf(method)), method.name);
});

const EMPTY: { readonly [method: string]: string } = {
  "KvService.Get": "INVALID_ARGUMENT FIELD_MISSING",
  "KvService.Put": "INVALID_ARGUMENT FIELD_MISSING",
  "KvService.Delete": "INVALID_ARGUMENT SELECTOR_MISSING",
  "KvService.Range": "INVALID_ARGUMENT SELECTOR_MISSING",
  "KvService.Txn": "OK",
  "KvService.Batch": "OK",
  "KvService.Pipeline": "OK",
  "KvService.Watch": "INVALID_ARGUMENT SELECTOR_MISSING",
  "KvService.MultiWatch": "INVALID_ARGUMENT FIELD_MISSING",
  "LeaseService.Grant": "INVALID_ARGUMENT FIELD_MISSING",
  "LeaseService.KeepAlive": "OK",
  "LeaseService.Revoke": "NOT_FOUND LEASE_NOT_FOUND",
  "LeaseService.TimeToLive": "NOT_FOUND LEASE_NOT_FOUND",
  "LeaseService.List": "OK",
  "MaintenanceService.Status": "OK",
  "MaintenanceService.Compact": "INVALID_ARGUMENT NUMBER_OUT_OF_RANGE",
  "MaintenanceService.Snapshot": "OK",
  "MaintenanceService.Hash": "OK",
};

for (const method of METHODS) {
  test(`an empty message to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    t.is(shown(await bench.sendHarmless(method, new Uint8Array(0))), EMPTY[method.name] ?? "");
  });
}

for (const method of WITH_FIELDS) {
  test(`a message cut off at every byte, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    const sample = sampleOf(method);
    let malformed = 0;
    for (let length = 0; length <= sample.length; length += 1) {
      const bytes = sample.subarray(0, length);
      if (isWellFormed(method.input, bytes)) await bench.sendLikeClean(method, bytes);
      else {
        malformed += 1;
        await bench.sendMalformed(method, bytes);
      }
    }
    t.true(malformed > 0);
  });

  test(`a message with any bit flipped, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    const sample = sampleOf(method);
    for (let bit = 0; bit < sample.length * 8; bit += 1) {
      const bytes = Buffer.from(sample);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await bench.send(method, bytes);
      bench.expectSound(outcome, bytes);
      const due = !isWellFormed(method.input, bytes);
      t.is(outcome.reason === "MALFORMED", due, `${shown(outcome)} to ${bytes.toString("hex")}`);
    }
  });
}

const UNKNOWN_FIELDS = concat(
  varintField(1000, 2n ** 64n - 1n),
  concat(tag(1001, FIXED64), new Uint8Array(8)),
  field(1002, "text"),
  field(1003, Uint8Array.of(0xff, 0xff)),
  concat(tag(1004, FIXED32), new Uint8Array(4)),
  group(1005, varintField(1, 1), group(7), field(2, "inside")),
  varintField(2 ** 29 - 1, 0),
);

for (const method of METHODS) {
  test(`fields that are not known are passed over, by ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    for (const bytes of [
      concat(UNKNOWN_FIELDS, sampleOf(method)),
      concat(sampleOf(method), UNKNOWN_FIELDS),
    ]) {
      const outcome = await bench.sendHarmless(method, bytes);
      t.is(shown(outcome), shown(await bench.sendHarmless(method, sampleOf(method))));
    }
  });
}

const kindOf = (each: DescField) => (each.fieldKind === "list" ? each.listKind : each.fieldKind);

const isText = (path: FieldPath) =>
  kindOf(lastOf(path)) === "scalar" && lastOf(path).scalar === ScalarType.STRING;

const NOT_UTF8: readonly Uint8Array[] = [
  [0xff],
  [0xc3, 0x28],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x61, 0xe2, 0x82],
].map((bytes) => Uint8Array.from(bytes));

for (const method of WITH_FIELDS) {
  for (const path of fieldPaths(method.input).filter(isText)) {
    test(`text that is not UTF-8 in ${method.name}: ${pathText(path)}`, async (t) => {
      const bench = await Bench.open(t);
      for (const text of NOT_UTF8) {
        const bytes = messageWith(path, field(lastOf(path).number, text));
        await bench.sendMalformed(method, bytes);
        await bench.sendMalformed(method, concat(sampleOf(method), bytes));
      }
      t.pass();
    });
  }
}

/** The wire type that a field is read with. */
function wireTypeOf(each: DescField): number {
  const scalar = kindOf(each) === "scalar" ? each.scalar : undefined;
  const isNumber =
    kindOf(each) === "enum" ||
    (scalar !== undefined && scalar !== ScalarType.STRING && scalar !== ScalarType.BYTES);
  return isNumber ? VARINT : LENGTH_DELIMITED;
}

/** A field of this number with any wire type. */
function withWireType(number: number, wireType: number): Uint8Array {
  switch (wireType) {
    case VARINT:
      return varintField(number, 1);
    case FIXED64:
      return concat(tag(number, FIXED64), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    case FIXED32:
      return concat(tag(number, FIXED32), Uint8Array.of(1, 0, 0, 0));
    case START_GROUP:
      return group(number, varintField(1, 1));
    default:
      return field(number, Uint8Array.of(1));
  }
}

for (const method of WITH_FIELDS) {
  test(`a field of another wire type is a field that is not known, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    const guard = GUARDS[method.name] ?? new Uint8Array(0);
    for (const path of fieldPaths(method.input)) {
      const without = concat(guard, messageWith(path, new Uint8Array(0)));
      const last = lastOf(path);
      for (const wireType of [VARINT, FIXED64, LENGTH_DELIMITED, START_GROUP, FIXED32]) {
        if (wireType === wireTypeOf(last)) continue;
        if (wireType === LENGTH_DELIMITED && last.fieldKind === "list") continue;
        const bytes = messageWith(path, withWireType(last.number, wireType));
        await bench.sendLike(method, concat(guard, bytes), without);
      }
    }
    t.pass();
  });

  test(`wire types that there are none of, and ends of groups that never began, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    for (const path of fieldPaths(method.input)) {
      const { number } = lastOf(path);
      for (const broken of [
        concat(tag(number, 6), varint(1)),
        tag(number, 7),
        tag(number, END_GROUP),
        concat(tag(number, START_GROUP), varintField(1, 1)),
        concat(tag(number, START_GROUP), tag(number + 1, END_GROUP)),
      ]) {
        await bench.sendMalformed(method, messageWith(path, broken));
      }
    }
    t.pass();
  });

  test(`lengths that reach beyond the message, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    for (const path of fieldPaths(method.input)) {
      const last = lastOf(path);
      if (wireTypeOf(last) !== LENGTH_DELIMITED) continue;
      for (const length of [1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n]) {
        const bytes = messageWith(path, fieldOfLength(last.number, length, new Uint8Array(0)));
        await bench.sendMalformed(method, bytes);
      }
    }
    t.pass();
  });

  test(`lengths that reach beyond the message around them, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    for (const path of fieldPaths(method.input).filter(({ length }) => length > 1)) {
      const last = lastOf(path);
      if (wireTypeOf(last) !== LENGTH_DELIMITED) continue;
      const inner = fieldOfLength(last.number, 2, new Uint8Array(0));
      const bytes = concat(messageWith(path, inner), varintField(1000, 1));
      await bench.sendMalformed(method, bytes);
    }
    t.pass();
  });

  test(`numbers at the ends of 64 bits in every field, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    for (const path of fieldPaths(method.input)) {
      const last = lastOf(path);
      if (wireTypeOf(last) !== VARINT || last.scalar === ScalarType.BOOL) continue;
      const isId = last.name === "id" || last.name === "lease_id";
      for (const number of [-1n, -(2n ** 63n), 2n ** 53n, 2n ** 63n - 1n, 2n ** 31n, 2n ** 32n]) {
        const bytes = messageWith(path, varintField(last.number, number));
        await bench.sendLikeClean(method, bytes);
        if (!isId) await bench.sendHarmless(method, concat(sampleOf(method), bytes));
      }
    }
    t.pass();
  });

  test(`numbers that do not end, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    const endless = new Uint8Array(11).fill(0x80);
    for (const path of fieldPaths(method.input)) {
      const { number } = lastOf(path);
      await bench.sendMalformed(method, messageWith(path, concat(tag(number, VARINT), endless)));
      await bench.sendMalformed(method, messageWith(path, concat(endless, varint(1))));
      const unknown = concat(tag(1000, VARINT), endless, varint(1));
      await bench.sendMalformed(method, messageWith(path, unknown));
    }
    t.pass();
  });
}

for (const method of METHODS) {
  test(`a field of the number 0 is no field, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    const sample = sampleOf(method);
    for (const zero of [
      Uint8Array.of(0),
      Uint8Array.of(0, 0),
      Uint8Array.of(2, 0),
      Uint8Array.of(0, 0xff, 0xff),
    ]) {
      await bench.sendMalformed(method, zero);
      await bench.sendMalformed(method, concat(sample, zero));
      await bench.sendMalformed(method, concat(zero, sample));
    }
    t.pass();
  });

  test(`groups in groups, 200,000 deep, to ${method.name}`, async (t) => {
    const bench = await Bench.open(t);
    const open = Buffer.alloc(200_000, tag(9, START_GROUP));
    const close = Buffer.alloc(200_000, tag(9, END_GROUP));
    await bench.sendMalformed(method, concat(open, close));
    await bench.sendMalformed(method, open);
    t.pass();
  });
}

const SUCCESS = 2;
const FAILURE = 3;
const OPERATION_TXN = 5;

for (const [what, branch] of [
  ["success", SUCCESS],
  ["failure", FAILURE],
] as const) {
  test(`txns in the ${what} of txns, 200,000 deep`, async (t) => {
    const bench = await Bench.open(t);
    const txn = methodOf("KvService.Txn");
    for (const levels of [9, 100, 101, 10_000, 200_000]) {
      const bytes = nested(levels - 1, [branch, OPERATION_TXN]);
      const outcome = await bench.sendHarmless(txn, bytes);
      t.is(shown(outcome), "INVALID_ARGUMENT TOO_DEEP", `${levels} levels`);
    }
    t.is(shown(await bench.sendHarmless(txn, nested(7, [branch, OPERATION_TXN]))), "OK");
  });
}

test("txns 200,000 deep behind a branch that is right are too deep as well", async (t) => {
  const bench = await Bench.open(t);
  const deep = nested(200_000, [SUCCESS, OPERATION_TXN]);
  const txn = methodOf("KvService.Txn");
  for (const bytes of [concat(sampleOf(txn), deep), concat(UNKNOWN_FIELDS, deep)]) {
    t.is(shown(await bench.sendHarmless(txn, bytes)), "INVALID_ARGUMENT TOO_DEEP");
  }
});

test("the limits of a txn hold behind a group that is not known", async (t) => {
  const bench = await Bench.open(t);
  const operation = field(SUCCESS, field(1, field(1, "a")));
  const many = concat(...Array.from({ length: 1025 }, () => operation));
  const compares = concat(...Array.from({ length: 1025 }, () => field(1, varintField(6, 1))));
  const txn = methodOf("KvService.Txn");
  const inside = group(9, varintField(1, 1));
  for (const [bytes, reason] of [
    [concat(inside, many), "TOO_MANY_OPERATIONS"],
    [field(SUCCESS, concat(inside, field(OPERATION_TXN, many))), "TOO_MANY_OPERATIONS"],
    [concat(inside, compares), "TOO_MANY_OPERATIONS"],
    [concat(inside, nested(20, [SUCCESS, OPERATION_TXN])), "TOO_DEEP"],
  ] as const) {
    t.is(shown(await bench.sendHarmless(txn, bytes)), `INVALID_ARGUMENT ${reason}`);
  }
});

test("messages in unknown fields, 200,000 deep, are passed over", async (t) => {
  const bench = await Bench.open(t);
  for (const method of METHODS) {
    const bytes = concat(nested(200_000, [1000]), sampleOf(method));
    const outcome = await bench.sendHarmless(method, bytes);
    t.is(shown(outcome), shown(await bench.sendHarmless(method, sampleOf(method))));
  }
});

test("of a field that comes twice the last counts, over all forms of a choice", async (t) => {
  const bench = await Bench.open(t);
  const get = methodOf("KvService.Get");
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [concat(field(1, ""), field(1, "a")), "OK"],
    [concat(field(1, "a"), field(1, "")), "INVALID_ARGUMENT KEY_EMPTY"],
    [concat(field(2, ""), field(1, "a")), "OK"],
    [concat(field(1, "a"), field(2, "")), "INVALID_ARGUMENT KEY_EMPTY"],
    [concat(varintField(3, 99), field(1, "a"), varintField(3, 0)), "OK"],
    [concat(varintField(3, 0), field(1, "a"), varintField(3, 99)), "OUT_OF_RANGE REVISION_FUTURE"],
  ];
  for (const [bytes, expected] of cases) {
    t.is(shown(await bench.sendHarmless(get, bytes)), expected);
  }
});

test("enum values that are not known are told apart from the rest", async (t) => {
  const bench = await Bench.open(t);
  const all = varintField(6, 1);
  const compare = (relation: bigint | number) =>
    field(1, concat(field(1, "a"), varintField(7, relation), varintField(8, 1)));
  for (const value of [99, -1, 2n ** 31n - 1n, -(2n ** 31n)]) {
    for (const [name, bytes] of [
      ["KvService.Range", concat(all, varintField(10, value))],
      ["KvService.Txn", compare(value)],
      ["KvService.Txn", field(SUCCESS, field(OPERATION_TXN, compare(value)))],
      ["KvService.Watch", concat(all, varintField(11, value))],
      ["KvService.Watch", concat(all, field(11, concat(varint(1), varint(value))))],
    ] as const) {
      const outcome = await bench.sendHarmless(methodOf(name), bytes);
      t.is(shown(outcome), "INVALID_ARGUMENT FIELD_UNKNOWN_VALUE", name);
    }
  }
});

test("a batch that is malformed at its end has applied nothing", async (t) => {
  const bench = await Bench.open(t);
  const good = field(1, field(2, field(1, "new")));
  for (const broken of [
    field(1, field(2, field(1, Uint8Array.of(0xff)))),
    field(1, field(2, fieldOfLength(1, 9, new Uint8Array(1)))),
    Uint8Array.of(0x0a),
  ]) {
    await bench.sendMalformed(methodOf("KvService.Batch"), concat(good, good, broken));
  }
  t.pass();
});

test("after all kinds of broken frames a server answers as before", async (t) => {
  const bench = await Bench.open(t);
  for (const method of METHODS) {
    for (let length = 0; length < 40; length += 1) {
      const noise = Uint8Array.from({ length }, (_, index) => (index * 151 + length * 37) % 256);
      bench.expectSound(await bench.send(method, noise), noise);
    }
  }
  const get = methodOf("KvService.Get");
  t.is(shown(await bench.send(get, field(1, "a"))), "OK");
});
