// Row 11: what a Get, a Put and a Range of a hundred cost on a store of many keys, beside what they
// cost on a small one. Keys are taken at random over all of the store.

import { RangeRequest, RangeResponse } from "../../gen/grpc/kvd/v1/kv.js";
import type { Bench, Case, Goal } from "../case.js";
import { getMessage, keyAt, putMessage, seededIndexes } from "../fixtures.js";
import { fillKvd } from "../load/fill.js";
import { H2Connection } from "../load/h2-connection.js";
import { framed } from "../load/message-splitter.js";
import { callUnary } from "../load/unary-call.js";
import { unaryLoad } from "../load/unary-load.js";
import { KVD } from "../methods.js";
import { type ServerProcess, shareOf } from "../servers/server-process.js";

const SMALL = 10_000;
const QUICK = 1_000_000;
const BIG = 10_000_000;
const BODIES = 10_000;
const RANGE_ROWS = 100;

export const SIZE_CALLS = ["Get", "Put", "Range of 100"] as const;
type CallName = (typeof SIZE_CALLS)[number];

const CALLS: Readonly<
  Record<CallName, { readonly path: string; readonly message: (index: number) => Uint8Array }>
> = {
  Get: { path: KVD.get, message: getMessage },
  Put: { path: KVD.put, message: putMessage },
  "Range of 100": { path: KVD.range, message: rangeMessage },
};

function rangeMessage(index: number): Uint8Array {
  const key = (value: string) => ({ keyForm: { $case: "key" as const, value } });
  const value = { start: key(keyAt(index)), end: key("l") };
  const request = { selector: { $case: "interval", value }, limit: BigInt(RANGE_ROWS) } as const;
  return RangeRequest.encode(RangeRequest.fromPartial(request)).finish();
}

interface Sized {
  readonly server: ServerProcess;
  readonly keys: number;
}

async function measure(bench: Bench, { server, keys }: Sized, call: CallName): Promise<void> {
  const next = seededIndexes(keys);
  const { path, message } = CALLS[call];
  const used = shareOf(server);
  const result = await unaryLoad({
    port: server.port,
    path,
    bodies: Array.from({ length: BODIES }, () => framed(message(next(keys - RANGE_ROWS)))),
    connections: 8,
    inFlight: 16,
    seconds: bench.options.seconds / 2,
    warmUpSeconds: 0.4,
  });
  const shares = { server: used(), sender: result.senderShare * 100 };
  bench.record(nameOf(call, keys), "µs a call", 1e6 / result.rate, shares);
}

const nameOf = (call: CallName, keys: number) => `${call}, ${keys} keys`;

async function run(bench: Bench, big: number): Promise<void> {
  const sizes: Sized[] = [];
  for (const keys of [SMALL, big]) {
    const server = await bench.kvd();
    await fillKvd(server.port, keys);
    await checkRange(server, keys);
    sizes.push({ server, keys });
  }
  await bench.inTurn(
    Object.fromEntries(
      SIZE_CALLS.flatMap((call) =>
        sizes.map((sized) => [nameOf(call, sized.keys), () => measure(bench, sized, call)]),
      ),
    ),
  );
}

async function checkRange({ port }: ServerProcess, keys: number): Promise<void> {
  const connection = await H2Connection.open(port);
  const answer = await callUnary(connection, KVD.range, rangeMessage(keys - RANGE_ROWS));
  connection.close();
  const { kvs } = RangeResponse.decode(answer);
  if (kvs.length !== RANGE_ROWS) throw new Error(`a Range answered ${kvs.length} rows`);
}

const goals = (big: number): Goal[] =>
  SIZE_CALLS.map((call) => ({
    row: 11,
    text: `cost of a ${call} at ${big / 1_000_000} M keys, of that at 10 K`,
    over: nameOf(call, big),
    under: nameOf(call, SMALL),
    bound: { atMost: 1.3 },
  }));

export const sizeCostCase: Case = {
  name: "size-cost",
  about: "what a call costs at 1 million keys, beside 10,000",
  goals: goals(QUICK),
  run: (bench) => run(bench, QUICK),
};

export const bigSizeCostCase: Case = {
  name: "size-cost-10m",
  about: "the same at 10 million",
  goals: goals(BIG),
  set: "big",
  run: (bench) => run(bench, BIG),
};
