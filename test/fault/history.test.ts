// Histories of 8 writers and 4 readers through a proxy that cuts and stalls their connections, to a
// process that is paused and killed: each is one that a store without faults could have.
//
// The replay checker, a Wing & Gong checker, lists and bank sums judge them. The seed is printed;
// KVD_SEED sets it.

import { join } from "node:path";
import test from "ava";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { type Judgement, judge, showSum } from "../support/history/judge.js";
import { wrongsKept } from "../support/history/keep.js";
import { FAMILIES, Load, openAccounts } from "../support/history/load.js";
import { HistoryRecorder } from "../support/history/recorder.js";
import { HookScope, temporaryFolder } from "../support/process.js";
import { type SeededRandom, seededRandom } from "../support/seeded-random.js";
import { ServerLife } from "../support/server-life.js";
import { openProxy, type TcpProxy } from "../support/tcp-proxy.js";

const HISTORIES = scaled({ quick: 3, long: 200 });
const FAULTS = 8;

test(`${HISTORIES} histories under cuts, pauses and kills are strictly serializable`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const judgements: Judgement[] = [];
  for (let number = 0; number < HISTORIES; number += 1) {
    const scope = new HookScope();
    try {
      const { judgement, problems } = await oneHistory(scope, SEED + number);
      t.deepEqual(problems, [], `KVD_SEED=${SEED + number}`);
      judgements.push(judgement);
    } finally {
      await scope.end();
    }
  }
  t.log(`P8 histories: ${judgements.length}, rejected: 0, ${showSum(judgements)}`);
  const acknowledged = judgements.reduce((sum, judgement) => sum + judgement.acknowledged, 0);
  t.true(acknowledged > 100 * HISTORIES);
});

async function oneHistory(scope: HookScope, seed: number) {
  const random = seededRandom(seed);
  const dataDir = join(await temporaryFolder(scope), "data");
  const recorder = new HistoryRecorder();
  const life = new ServerLife(scope, { dataDir });
  await life.start();
  await openAccounts(recorder, life.address);
  const proxy = await openProxy(scope, portOf(life));
  const way = new Way({ life, proxy, random });
  const load = new Load({
    ...{ recorder, address: proxy.address, name: "h", seed, timeout: "400ms" },
    ...{ again: () => way.open, watchFrom: life.revision + 1 },
  });
  for (let fault = 0; fault < FAULTS; fault += 1) {
    await load.answered(random.below(150));
    await way.fault();
  }
  await load.answered(20);
  await load.stop();
  const journal = await life.wholeJournal();
  const judgement = judge(recorder, journal, FAMILIES);
  const problems = [...life.problems, ...wrongsKept(judgement, recorder, journal)];
  return { judgement, problems };
}

interface WayOptions {
  readonly life: ServerLife;
  readonly proxy: TcpProxy;
  readonly random: SeededRandom;
}

/** The way to the server, and what happens on it. */
class Way {
  /** Pending while there is no server. */
  open: Promise<void> = Promise.resolve();
  readonly #life: ServerLife;
  readonly #proxy: TcpProxy;
  readonly #random: SeededRandom;

  constructor({ life, proxy, random }: WayOptions) {
    this.#life = life;
    this.#proxy = proxy;
    this.#random = random;
  }

  async fault(): Promise<void> {
    const faults = [
      () => this.#cut(),
      () => this.#cutWithin(),
      () => this.#stall(),
      () => this.#pause(),
      () => this.#pauseTooLong(),
      () => this.#kill(),
    ];
    await this.#random.pick(faults)();
  }

  async #cut(): Promise<void> {
    this.#proxy.cut();
  }

  async #cutWithin(): Promise<void> {
    const before = this.#proxy.ended;
    this.#proxy.cutAfter(this.#random.below(5_000));
    await this.#proxy.until(() => this.#proxy.ended > before);
  }

  async #stall(): Promise<void> {
    this.#proxy.stall();
    await turns(this.#random.below(500));
    if (this.#random.below(2) === 0) this.#proxy.cut();
    this.#proxy.flow();
  }

  async #pause(): Promise<void> {
    this.#life.server.process.signal("SIGSTOP");
    await turns(this.#random.below(500));
    this.#life.server.process.signal("SIGCONT");
  }

  /** So long that clients give up, and what they have sent waits in the socket. */
  async #pauseTooLong(): Promise<void> {
    const before = this.#proxy.ended;
    this.#life.server.process.signal("SIGSTOP");
    await this.#proxy.until(() => this.#proxy.ended > before);
    this.#life.server.process.signal("SIGCONT");
  }

  async #kill(): Promise<void> {
    let open = () => {};
    this.open = new Promise((resolve) => {
      open = resolve;
    });
    await this.#life.kill();
    await this.#life.start();
    this.#proxy.targetPort = portOf(this.#life);
    open();
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function portOf(life: ServerLife): number {
  return Number(life.address.split(":").at(-1));
}
