// Answers as JSON: the same as that of another writer, for all that a method may answer.

import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import test from "ava";
import fc from "fast-check";
import { RangeResponseSchema } from "../../../gen/es/etcd/rpc_pb.js";
import { KvService } from "../../../gen/es/kvd/v1/kv_pb.js";
import { LeaseService } from "../../../gen/es/kvd/v1/lease_pb.js";
import { MaintenanceService } from "../../../gen/es/kvd/v1/maintenance_pb.js";
import { ElectionService } from "../../../gen/grpc/etcd/election.js";
import { LockService } from "../../../gen/grpc/etcd/lock.js";
import {
  AuthService,
  ClusterService,
  LeaseService as EtcdLeaseService,
  MaintenanceService as EtcdMaintenanceService,
  KVService,
  WatchService,
} from "../../../gen/grpc/etcd/rpc.js";
import { KvServiceService } from "../../../gen/grpc/kvd/v1/kv.js";
import { LeaseServiceService } from "../../../gen/grpc/kvd/v1/lease.js";
import { MaintenanceServiceService } from "../../../gen/grpc/kvd/v1/maintenance.js";
import { jsonOf } from "../../../server/http/json-writer.js";
import { ETCD_ROUTES } from "../../../server/http/routes.js";
import { KvdError } from "../../../server/kv/errors.js";

const MIB = 1024 * 1024;

const SERVED: readonly ServiceDefinition[] = [
  ElectionService,
  LockService,
  AuthService,
  ClusterService,
  KVService,
  EtcdLeaseService,
  EtcdMaintenanceService,
  WatchService,
  KvServiceService,
  LeaseServiceService,
  MaintenanceServiceService,
];
const KVD = [KvService, LeaseService, MaintenanceService].flatMap(({ methods }) => methods);
const METHODS: ReadonlySet<DescMethod> = new Set([...ETCD_ROUTES.values(), ...KVD]);

const LEVELS = 6;

/** What protobuf-es makes a message of. */
function messageOf(desc: DescMessage, level = 0): fc.Arbitrary<Record<string, unknown>> {
  if (desc.typeName.startsWith("google.protobuf.")) {
    return fc.record({ seconds: fc.bigInt(0n, 1000n), nanos: fc.constantFrom(0, 5_000_000) });
  }
  const isDeep = level > LEVELS;
  const plain = desc.fields.filter(({ oneof }) => oneof === undefined);
  const fields = plain.filter(({ message }) => !isDeep || message === undefined);
  const ofFields = Object.fromEntries(
    fields.map((field) => [field.localName, value(field, level)]),
  );
  const ofOneofs = desc.oneofs.map(({ localName, fields: ways }) => {
    const taken = ways.filter(({ message }) => !isDeep || message === undefined);
    const each = taken.map((field) =>
      fc.record({ case: fc.constant(field.localName), value: value(field, level) }),
    );
    return [localName, fc.oneof(fc.constant(undefined), ...each)] as const;
  });
  return fc.record({ ...ofFields, ...Object.fromEntries(ofOneofs) }, { requiredKeys: [] });
}

function value(field: DescField, level: number): fc.Arbitrary<unknown> {
  const single = singleOf(field, level);
  if (field.fieldKind === "list") return fc.array(single, { maxLength: 3 });
  // No map of the other writer can have that key.
  const key = fc.string().filter((text) => text !== "__proto__");
  if (field.fieldKind === "map") return fc.dictionary(key, single, { maxKeys: 3 });
  return single;
}

function singleOf({ message, enum: names, scalar }: DescField, level: number) {
  if (message !== undefined) return messageOf(message, level + 1);
  if (names !== undefined) return fc.constantFrom(77, ...names.values.map(({ number }) => number));
  return ofScalar(scalar);
}

function ofScalar(scalar: ScalarType | undefined): fc.Arbitrary<unknown> {
  switch (scalar) {
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 10 });
    case ScalarType.STRING:
      return fc.string({ unit: "grapheme", maxLength: 10 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT64:
      return fc.oneof(fc.constant(0n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
    case ScalarType.UINT64:
      return fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 64n - 1n));
    case ScalarType.INT32:
      return fc.integer();
    case ScalarType.UINT32:
      return fc.nat();
    default:
      throw new Error(`scalars of type ${scalar} are new here`);
  }
}

for (const { parent, name, output } of METHODS) {
  const path = `/${parent.typeName}/${name}`;
  test(`answers of ${path} are written as by another writer`, (t) => {
    const [method] = SERVED.flatMap((each) => Object.values(each)).filter((m) => m.path === path);
    if (method === undefined) return t.fail("it is not there");
    const isSame = (init: Record<string, unknown>) => {
      const message = create(output, init);
      const served = method.responseDeserialize(Buffer.from(toBinary(output, message)));
      const text = jsonOf(served, output, MIB);
      t.deepEqual(JSON.parse(text), toJson(output, message, { useProtoFieldName: true }));
      t.throws(() => jsonOf(served, output, text.length - 1), { instanceOf: KvdError });
    };
    fc.assert(fc.property(messageOf(output), isSame), { numRuns: 50 });
  });
}

test("an answer is refused before values that are too large become text", (t) => {
  const room = 4 * MIB;
  const value = Buffer.alloc(1.5 * MIB);
  let read = 0;
  const kvs = Array.from({ length: 10 }, () => ({
    get value() {
      read += 1;
      return value;
    },
  }));
  const error = t.throws(() => jsonOf({ kvs }, RangeResponseSchema, room));
  t.true(error instanceof KvdError && error.reason === "RESULT_TOO_LARGE");
  t.is(read, 2);
});
