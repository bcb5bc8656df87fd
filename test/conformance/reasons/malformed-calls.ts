// Requests that are not the messages that they should be, in every place: a key that is not UTF-8,
// and bytes that end too early. Nothing of such a request is done.

import type { Client } from "@grpc/grpc-js";
import {
  type RawOutcome,
  rawBidiStream,
  rawServerStream,
  rawUnary,
} from "../../support/raw-call.js";
import { concat, field } from "../../support/wire.js";
import type { Fixture } from "./fixture.js";
import type { Refusal } from "./refusal.js";
import type { CallPlace, RefusedCall } from "./refused-call.js";

const NOT_UTF8 = Uint8Array.of(0xff, 0xfe);

/** Field numbers of kv.proto and watch.proto. */
const GET = 1;
const PUT = 3;
const TXN = 5;
const SUCCESS = 2;
const BATCH_PUT = 2;
const OPERATIONS = 2;

const KINDS: readonly (readonly [what: string, key: Uint8Array])[] = [
  ["a key that is not UTF-8", field(1, NOT_UTF8)],
  ["a key that is cut short", field(1, "abc").subarray(0, 4)],
];

const GOOD_PUT = field(1, "new");

/** The request that has this as the beginning of a message with a key, by place. */
function requestIn(place: CallPlace, key: Uint8Array): readonly [path: string, Uint8Array] {
  switch (place) {
    case "unary":
      return ["/kvd.v1.KvService/Put", key];
    case "txn":
      return ["/kvd.v1.KvService/Txn", concat(txnStep(PUT, GOOD_PUT), txnStep(GET, key))];
    case "nested txn": {
      const inner = txnStep(TXN, concat(txnStep(PUT, GOOD_PUT), txnStep(PUT, key)));
      return ["/kvd.v1.KvService/Txn", concat(txnStep(PUT, GOOD_PUT), inner)];
    }
    case "batch":
      return [
        "/kvd.v1.KvService/Batch",
        concat(field(1, field(BATCH_PUT, GOOD_PUT)), field(1, field(BATCH_PUT, key))),
      ];
    case "pipeline":
      return [
        "/kvd.v1.KvService/Pipeline",
        concat(
          field(OPERATIONS, field(BATCH_PUT, GOOD_PUT)),
          field(OPERATIONS, field(BATCH_PUT, key)),
        ),
      ];
    case "watch":
      return ["/kvd.v1.KvService/Watch", key];
    case "multi-watch":
      return ["/kvd.v1.KvService/MultiWatch", field(1, field(2, key))];
    case "keep-alive":
      return ["/kvd.v1.LeaseService/KeepAlive", key];
  }
}

function txnStep(kind: number, message: Uint8Array): Uint8Array {
  return field(SUCCESS, field(kind, message));
}

const BIDI: readonly CallPlace[] = ["pipeline", "multi-watch", "keep-alive"];

async function send(kv: Client, place: CallPlace, key: Uint8Array): Promise<RawOutcome> {
  const [path, bytes] = requestIn(place, key);
  if (place === "watch") return rawServerStream(kv, path, bytes).outcome;
  if (!BIDI.includes(place)) return rawUnary(kv, path, bytes);
  return rawBidiStream(kv, path, [bytes], { stayOpen: true }).outcome;
}

async function refuseMalformed(
  { clients }: Fixture,
  place: CallPlace,
  key: Uint8Array,
): Promise<Refusal> {
  const { code, reason = "none", message } = await send(clients.kv, place, key);
  return { code, reason, message, metadata: {} };
}

const PLACES: readonly CallPlace[] = [
  "unary",
  "txn",
  "nested txn",
  "batch",
  "pipeline",
  "watch",
  "multi-watch",
];

export const MALFORMED_CALLS: readonly RefusedCall[] = [
  ...PLACES.flatMap((place) =>
    KINDS.map(
      ([what, key]): RefusedCall => ({
        reason: "MALFORMED",
        place,
        what,
        refuse: (fixture) => refuseMalformed(fixture, place, key),
      }),
    ),
  ),
  {
    reason: "MALFORMED",
    place: "keep-alive",
    what: "a number that does not end, which ends the stream",
    refuse: (fixture) => refuseMalformed(fixture, "keep-alive", Uint8Array.of(0x08, 0x80)),
  },
];
