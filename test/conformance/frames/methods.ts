// Every method of kvd.v1, and a request for each that has all of its fields and changes nothing:
// what keeps it from changing anything stands in front, so that it does so also when the rest is
// cut off.

import type { DescMessage } from "@bufbuild/protobuf";
import { file_kvd_v1_kv } from "../../../gen/es/kvd/v1/kv_pb.js";
import { file_kvd_v1_lease } from "../../../gen/es/kvd/v1/lease_pb.js";
import { file_kvd_v1_maintenance } from "../../../gen/es/kvd/v1/maintenance_pb.js";
import {
  type RawOutcome,
  rawBidiStream,
  rawServerStream,
  rawUnary,
} from "../../support/raw-call.js";
import type { RemoteClients } from "../../support/remote-engine.js";
import { concat, field, varintField } from "../../support/wire.js";

export interface Method {
  readonly name: string;
  readonly path: string;
  readonly kind: "unary" | "server_streaming" | "bidi_streaming" | "client_streaming";
  readonly input: DescMessage;
}

const FILES = [file_kvd_v1_kv, file_kvd_v1_lease, file_kvd_v1_maintenance];

export const METHODS: readonly Method[] = FILES.flatMap(({ services }) =>
  services.flatMap((service) =>
    service.methods.map((method) => ({
      name: `${service.name}.${method.name}`,
      path: `/${service.typeName}/${method.name}`,
      kind: method.methodKind,
      input: method.input,
    })),
  ),
);

const NO_SUCH = 999;
const NO_LEASE = 404;

const expected = (number: number) => varintField(number, NO_SUCH);
const duration = (seconds: number, nanos: number) =>
  concat(varintField(1, seconds), varintField(2, nanos));
const interval = concat(field(1, field(1, "a")), field(2, field(2, Uint8Array.of(0xff, 0x00))));

const GET = concat(varintField(3, NO_SUCH), field(1, "a"));
const PUT = concat(
  expected(7),
  varintField(8, 1),
  field(3, "value"),
  varintField(5, NO_LEASE),
  field(1, "key \u{1f600}"),
);
const PUT_WITH_TTL = concat(expected(7), field(4, duration(30, 5)), field(2, "a"));
const DELETE = concat(expected(8), varintField(9, 1), varintField(7, 3), field(1, "a"));
const RANGE = concat(
  varintField(7, NO_SUCH),
  varintField(8, 5),
  varintField(10, 2),
  varintField(11, 1),
  varintField(12, 1),
  field(13, "/"),
  field(5, interval),
);
const COMPARE = concat(field(3, "pre"), varintField(7, 3), varintField(8, 1));
const step = (kind: number, message: Uint8Array) => field(kind, message);
const NESTED_TXN = concat(field(2, step(3, PUT)), field(3, step(4, DELETE)), field(1, COMPARE));
const TXN = concat(
  field(2, step(3, PUT)),
  field(3, step(3, PUT_WITH_TTL)),
  field(1, COMPARE),
  field(2, step(1, GET)),
  field(2, step(2, RANGE)),
  field(2, step(5, NESTED_TXN)),
);
const OPERATIONS = (number: number) =>
  concat(
    field(number, step(2, PUT)),
    field(number, step(3, DELETE)),
    field(number, step(1, GET)),
    field(number, step(2, PUT_WITH_TTL)),
  );
const WATCH = concat(
  varintField(7, NO_SUCH),
  field(8, "store"),
  varintField(10, 1),
  field(11, Uint8Array.of(1, 2)),
  varintField(11, 2),
  field(12, duration(5, 7)),
  field(5, interval),
);

export const SAMPLES: { readonly [method: string]: Uint8Array } = {
  "KvService.Get": GET,
  "KvService.Put": concat(PUT, field(4, duration(3, 9)), varintField(6, 1)),
  "KvService.Delete": DELETE,
  "KvService.Range": concat(RANGE, field(9, "no token")),
  "KvService.Txn": TXN,
  "KvService.Batch": OPERATIONS(1),
  "KvService.Pipeline": concat(varintField(1, 77), OPERATIONS(2)),
  "KvService.Watch": WATCH,
  "KvService.MultiWatch": field(1, concat(varintField(1, 5), field(2, WATCH))),
  "LeaseService.Grant": concat(varintField(2, 7), field(1, duration(30, 5))),
  "LeaseService.KeepAlive": varintField(1, NO_LEASE),
  "LeaseService.Revoke": varintField(1, NO_LEASE),
  "LeaseService.TimeToLive": concat(varintField(1, NO_LEASE), varintField(2, 1)),
  "LeaseService.List": field(1, "no token"),
  "MaintenanceService.Status": new Uint8Array(0),
  "MaintenanceService.Compact": varintField(1, NO_SUCH),
  "MaintenanceService.Snapshot": new Uint8Array(0),
  "MaintenanceService.Hash": varintField(1, NO_SUCH),
};

/** In front of any other fields it keeps a request from changing anything. */
export const GUARDS: { readonly [method: string]: Uint8Array } = {
  "KvService.Delete": expected(8),
  "KvService.Txn": field(2, step(3, PUT)),
};

/** Opens a watch, which is answered at once. */
const GOOD_CREATE = field(1, concat(varintField(1, 99), field(2, varintField(6, 1))));

/** What a method answers to these bytes; a watch that opens is answered with OK. */
export async function sendFrame(
  { kv }: RemoteClients,
  { name, path, kind }: Method,
  bytes: Uint8Array,
): Promise<RawOutcome> {
  if (kind === "unary") return rawUnary(kv, path, bytes);
  if (kind === "server_streaming") return openedOrEnded(rawServerStream(kv, path, bytes));
  if (name === "KvService.MultiWatch") {
    return openedOrEnded(rawBidiStream(kv, path, [bytes, GOOD_CREATE], { stayOpen: true }));
  }
  return rawBidiStream(kv, path, [bytes]).outcome;
}

async function openedOrEnded(stream: ReturnType<typeof rawServerStream>): Promise<RawOutcome> {
  const opened = stream.first.then(
    (answer): RawOutcome => ({ code: 0, reason: undefined, message: "", answers: [answer] }),
  );
  const outcome = await Promise.race([opened, stream.outcome]);
  stream.cancel();
  return outcome;
}
