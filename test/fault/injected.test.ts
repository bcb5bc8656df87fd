// Faults in the system calls of the real process, made by strace under the load: a sync that fails,
// a full disk, a kill at each call of each kind that changes files.
//
// KVD_SEED sets the seed, which is printed.

import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { connect, KvdClientError } from "../../client/index.js";
import {
  type HealthCheckResponse,
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/grpc/health/v1/health.js";
import { SEED, scaled, TIMEOUT_MS } from "../support/fault-scale.js";
import { connectClient, settle } from "../support/grpc-service.js";
import { type Judgement, judge, showSum } from "../support/history/judge.js";
import { wrongsKept } from "../support/history/keep.js";
import { FAMILIES, Load, openAccounts } from "../support/history/load.js";
import { lossesOf } from "../support/history/losses.js";
import { HistoryRecorder } from "../support/history/recorder.js";
import { Session, Unanswered } from "../support/history/session.js";
import { HookScope, temporaryFolder } from "../support/process.js";
import { seededRandom } from "../support/seeded-random.js";
import { ServerLife } from "../support/server-life.js";
import { type Injection, type SystemCall, traced, whyNoTrace } from "../support/strace.js";
import { until } from "../support/take.js";
import { whereAble } from "../support/where-able.js";

const { declare, note } = whereAble(whyNoTrace());

const random = seededRandom(SEED);

/** All numbers up to `long`, or `quick` of them. */
function someOf({ quick, long }: { readonly quick: number; readonly long: number }): number[] {
  const count = scaled({ quick, long });
  if (count === long) return Array.from({ length: long }, (_, index) => index + 1);
  return Array.from({ length: quick }, () => 1 + random.below(long));
}

interface Bench {
  readonly life: ServerLife;
  readonly recorder: HistoryRecorder;
  readonly load: Load;
}

interface Point {
  readonly injection: Injection;
  readonly args: readonly string[];
  /** What is done while the load runs, in a server that has started in spite of the fault. */
  act(bench: Bench): Promise<void>;
}

/** A start with the fault, the load and then a start without it: what is there then. */
async function judged(t: ExecutionContext, { injection, args, act }: Point): Promise<Judgement> {
  const scope = new HookScope();
  try {
    const recorder = new HistoryRecorder();
    const dataDir = join(await temporaryFolder(scope), "data");
    const life = new ServerLife(scope, { dataDir });
    await life.start();
    await openAccounts(recorder, life.address);
    await life.kill();
    const started = await starts(life, { ...traced(injection), args });
    if (started) {
      const { address, revision } = life;
      const seed = random.below(1_000_000);
      const load = new Load({ recorder, address, name: "i", seed, watchFrom: revision + 1 });
      await act({ life, recorder, load });
      await life.kill();
      await load.stop();
    }
    await life.start();
    const journal = await life.wholeJournal();
    const judgement = judge(recorder, journal, FAMILIES);
    const where = `${injection.what} at ${injection.call} ${injection.when}, KVD_SEED=${SEED}`;
    const wrong = [...life.problems, ...wrongsKept(judgement, recorder, journal)];
    for (const text of wrong) t.log(text);
    t.deepEqual(wrong, [], where);
    return judgement;
  } finally {
    await scope.end();
  }
}

/** False when the fault has ended it before it served. */
async function starts(life: ServerLife, setup: Parameters<ServerLife["start"]>[0]) {
  try {
    await life.start(setup);
    return true;
  } catch (error) {
    const text = error instanceof Error ? error.message : "";
    const isEnd =
      error instanceof KvdClientError || /did not start, and ended with [^0]/.test(text);
    if (!isEnd) throw error;
    await life.kill();
    return false;
  }
}

const SYNCS = someOf({ quick: 2, long: 50 });

declare(`${note}a sync that fails is final`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const judgements: Judgement[] = [];
  for (const when of SYNCS) {
    const injection = { call: "fdatasync", what: "error=EIO", when: `${when}` } as const;
    const act = (bench: Bench) => failsForGood(t, bench);
    judgements.push(await judged(t, { injection, args: ["--failed-log-grace", "2s"], act }));
  }
  t.log(`P5 failed syncs: ${SYNCS.length}, ${showSum(judgements)}`);
});

const NOTHING = { commits: [], revision: 1 };

async function failsForGood(t: ExecutionContext, { life, recorder, load }: Bench): Promise<void> {
  load.expectFailedLog();
  const health = connectClient(t, life.address, HealthClient);
  await until("health says NOT_SERVING", async () => {
    const answer = await settle<HealthCheckResponse>((done) => health.check({ service: "" }, done));
    return answer.status === ServingStatus.NOT_SERVING;
  });
  const kv = connect(life.address, { retry: false });
  const session = new Session({ recorder, kv, name: "late" });
  const error = await t.throwsAsync(session.put("m", session.value()), { instanceOf: Unanswered });
  t.true(error?.logFailed);
  t.true((await kv.count({ prefix: "a" })).count > 0);
  const { acknowledged } = lossesOf(recorder, NOTHING);
  await kv.close();
  const { exitCode } = await life.server.process.ended;
  t.is(exitCode, 74);
  await load.stop();
  t.is(lossesOf(recorder, NOTHING).acknowledged, acknowledged);
}

const FULL = someOf({ quick: 1, long: 40 });

declare(`${note}a full disk is told, and writes go on when it has space`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  const judgements: Judgement[] = [];
  for (const when of FULL) {
    const first = 20 + when;
    const times = `${first}..${first + random.below(3)}`;
    const injection = { call: "pwrite64", what: "error=ENOSPC", when: times } as const;
    judgements.push(await judged(t, { injection, args: [], act: goesOn }));
  }
  t.log(`P6 writes without space: ${FULL.length}, ${showSum(judgements)}`);
});

async function goesOn({ life, recorder, load }: Bench): Promise<void> {
  await load.until(() => recorder.refusals > 0);
  const kv = connect(life.address, { retry: false });
  const session = new Session({ recorder, kv, name: "after" });
  await until("writes go on", () => session.put("m", session.value()));
  await load.answered(100);
  await kv.close();
}

const KILLS: readonly (readonly [SystemCall, number[]])[] = [
  ["pwrite64", someOf({ quick: 1, long: 40 })],
  ["fdatasync", someOf({ quick: 1, long: 40 })],
  ["fsync", someOf({ quick: 1, long: 20 })],
  ["rename", someOf({ quick: 1, long: 12 })],
  ["unlink", someOf({ quick: 1, long: 8 })],
  ["ftruncate", someOf({ quick: 0, long: 2 })],
];

declare(`${note}a kill at any call that changes files loses nothing`, async (t) => {
  t.timeout(TIMEOUT_MS);
  t.log(`seed ${SEED}`);
  for (const [call, whens] of KILLS) {
    const judgements: Judgement[] = [];
    let reached = 0;
    for (const when of whens) {
      const injection = { call, what: "signal=KILL", when: `${when}` } as const;
      reached += 1;
      const act = async (bench: Bench) => {
        if (!(await dies(bench))) reached -= 1;
      };
      const args = ["--snapshot-log-bytes", "1MiB"];
      judgements.push(await judged(t, { injection, args, act }));
    }
    if (whens.length === 0) continue;
    t.log(`P2 kills at ${call}: ${reached} of ${whens.length} reached, ${showSum(judgements)}`);
  }
});

/** Whether it died while the load ran, with values so large that there are snapshots. */
async function dies({ life, recorder, load }: Bench): Promise<boolean> {
  const kv = connect(life.address, { retry: false });
  const session = new Session({ recorder, kv, name: "ballast" });
  try {
    for (let count = 0; count < 80; count += 1) {
      await session.put("ballast", `${session.value()} ${"x".repeat(60_000)}`);
    }
    await load.answered(50);
    return false;
  } catch (error) {
    if (!(error instanceof Unanswered) || error.logFailed) throw error;
    await life.server.process.ended;
    return true;
  } finally {
    await kv.close();
  }
}
