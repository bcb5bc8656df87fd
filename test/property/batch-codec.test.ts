// The two ways from the bytes of a batch to those of its answer, on two engines that are fed alike:
// they answer, refuse and change the same, whatever comes.
//
// KVD_RUNS and KVD_SEED set the number of runs and the seed; the seed is printed.

import assert from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import { type MemoryEngine, openMemoryEngine } from "../../server/engines/memory.js";
import type { Engine } from "../../server/kv/engine.js";
import { KvdError } from "../../server/kv/errors.js";
import { BatchCodec } from "../../server/rpc/batch-codec.js";
import { BATCH_SHAPE, PIPELINE_SHAPE } from "../../server/rpc/batch-shape.js";
import { batchMessage, damaged, ODD_LIMITS } from "../support/batch-messages.js";
import { toHex } from "../support/commands.js";
import { ManualClock } from "../support/manual-clock.js";
import { fingerprint } from "../support/refused.js";
import { concat, field } from "../support/wire.js";

const RUNS = Number(process.env["KVD_RUNS"] ?? 2000);
const SEED = Number(process.env["KVD_SEED"] ?? Date.now() % 1_000_000);

interface Codec {
  answer(bytes: Uint8Array): Buffer | Promise<Buffer>;
  answerByMessages(bytes: Uint8Array): Promise<Buffer>;
}

const SHAPES = {
  Batch: {
    fields: { operations: 1 },
    codec: (engine: MemoryEngine): Codec => new BatchCodec(engine, BATCH_SHAPE, ODD_LIMITS),
  },
  Pipeline: {
    fields: { operations: 2, id: 1 },
    codec: (engine: MemoryEngine): Codec => new BatchCodec(engine, PIPELINE_SHAPE, ODD_LIMITS),
  },
} as const;

type ShapeName = keyof typeof SHAPES;

/** Two of them differ in nothing. */
async function openTwin(): Promise<MemoryEngine> {
  let leases = 0n;
  const engine = await openMemoryEngine({
    limits: ODD_LIMITS,
    clock: new ManualClock(),
    storeId: "twin",
    randomLeaseId: () => {
      leases += 1n;
      return 1000n + leases;
    },
  });
  await engine.grant({ id: 7n, ttlMs: 60_000 });
  await engine.grant({ id: -8n, ttlMs: 60_000 });
  return engine;
}

async function outcomeOf(answer: () => Buffer | Promise<Buffer>): Promise<string> {
  try {
    return toHex(await answer());
  } catch (error) {
    if (!(error instanceof KvdError)) throw error;
    return `${error.reason} ${error.message} ${JSON.stringify(error.details)}`;
  }
}

async function sendAlike(name: ShapeName, messages: readonly Uint8Array[]): Promise<void> {
  const engines = [await openTwin(), await openTwin()] as const;
  const [direct, byMessages] = engines.map((engine) => SHAPES[name].codec(engine)) as [
    Codec,
    Codec,
  ];
  for (const message of messages) {
    // Those of a call are what the transport received, and more stands around them.
    const around = Buffer.concat([Buffer.from("\n\v"), message, Buffer.from("\n\v")]);
    const bytes = around.subarray(2, 2 + message.length);
    const expected = await outcomeOf(() => byMessages.answerByMessages(bytes));
    const answer = await outcomeOf(() => direct.answer(bytes));
    assert.equal(answer, expected, `of ${toHex(message)}`);
  }
  assert.equal(await fingerprint(engines[0]), await fingerprint(engines[1]));
  for (const engine of engines) {
    engine.check();
    await engine.close();
  }
}

const parameters = (numRuns: number) => ({ numRuns, seed: SEED, includeErrorInReport: true });

for (const name of ["Batch", "Pipeline"] as const) {
  const message = batchMessage(SHAPES[name].fields);

  test(`${name} answers by its own codec as by the generated one`, async (t) => {
    t.log(`KVD_SEED=${SEED} KVD_RUNS=${RUNS}`);
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 4 }), (messages) =>
        sendAlike(name, messages),
      ),
      parameters(RUNS),
    );
    t.pass();
  });

  test(`${name} refuses damaged messages as the generated codec does`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(damaged(message), { minLength: 1, maxLength: 8 }), (messages) =>
        sendAlike(name, messages),
      ),
      parameters(RUNS),
    );
    t.pass();
  });

  test(`${name} refuses a message that ends anywhere as the generated codec does`, async (t) => {
    const cuts = (bytes: Uint8Array) =>
      Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length));
    await fc.assert(
      fc.asyncProperty(message, (bytes) => sendAlike(name, cuts(bytes))),
      parameters(Math.ceil(RUNS / 20)),
    );
    t.pass();
  });
}

test("an engine without the direct way is asked by messages", async (t) => {
  const engine = await openTwin();
  const asked: number[] = [];
  const indirect: Pick<Engine, "batch"> = {
    batch: (command) => {
      asked.push(command.operations.length);
      return engine.batch(command);
    },
  };
  const codec = new BatchCodec(indirect, BATCH_SHAPE, ODD_LIMITS);
  const get = field(1, field(1, field(1, "a")));
  const bytes = await codec.answer(concat(get, get));
  t.deepEqual(asked, [2]);
  t.is(
    toHex(bytes),
    toHex(await new BatchCodec(engine, BATCH_SHAPE, ODD_LIMITS).answer(concat(get, get))),
  );
  await engine.close();
});
