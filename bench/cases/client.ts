// Row 13: a hundred gets of the TypeScript client in one tick, beside a hundred calls of the
// generated stubs in one tick.

import { credentials } from "@grpc/grpc-js";
import { connect } from "../../client/index.js";
import { KvServiceClient } from "../../gen/grpc/kvd/v1/kv.js";
import { type Bench, type Case, RATE } from "../case.js";
import { keyAt, VALUE } from "../fixtures.js";
import { fillKvd } from "../load/fill.js";

const KEYS = 1000;
const AT_ONCE = 100;

/** Gets a second, when so many are issued in one tick, and the next when all are answered. */
async function rateOf(bench: Bench, get: (key: string) => Promise<Uint8Array | undefined>) {
  const end = performance.now() + bench.options.seconds * 1000;
  const began = performance.now();
  let gets = 0;
  while (performance.now() < end) {
    const keys = Array.from({ length: AT_ONCE }, (_, at) => keyAt((gets + at) % KEYS));
    const values = await Promise.all(keys.map(get));
    if (values.some((value) => value?.length !== VALUE.length))
      throw new Error("a value is missing");
    gets += AT_ONCE;
  }
  return (gets / (performance.now() - began)) * 1000;
}

export const clientCase: Case = {
  name: "client",
  about: `${AT_ONCE} gets in one tick: the client, beside unary stubs`,
  goals: [
    {
      row: 13,
      text: "gets of the client, of those of unary stubs",
      over: "client",
      under: "unary stubs",
      bound: { atLeast: 5 },
    },
  ],
  async run(bench) {
    const { port } = await bench.kvd();
    await fillKvd(port, KEYS);
    await using client = connect(`127.0.0.1:${port}`);
    const stubs = new KvServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const unary = (key: string) =>
      new Promise<Uint8Array | undefined>((resolve, reject) => {
        stubs.get({ keyForm: { $case: "key", value: key }, revision: 0n }, (error, answer) =>
          error === null ? resolve(answer.kv?.value) : reject(error),
        );
      });
    await bench.inTurn({
      client: async () => {
        const rate = await rateOf(bench, async (key) => (await client.get(key))?.bytes);
        bench.record("client", RATE, rate);
      },
      stubs: async () => bench.record("unary stubs", RATE, await rateOf(bench, unary)),
    });
    stubs.close();
  },
};
