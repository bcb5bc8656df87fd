// A short history that has everything in it: puts, deletes, txns, leases that are granted, renewed,
// revoked and end, compaction, segments that are full, snapshots, and files that go.

import { compare, del, op, prefix, put, txn, withLease, withTtl } from "./commands.js";
import type { CrashRun } from "./crash-run.js";
import { untilQuiet } from "./disk-engine.js";
import type { Act } from "./store-acts.js";

type Scene = (run: CrashRun) => Promise<unknown>;

const act =
  (...acts: readonly Act[]): Scene =>
  (run) =>
    Promise.all(acts.map((each) => run.act(each)));

const putAct = (...[key, value, options]: Parameters<typeof put>): Act => ({
  kind: "put",
  put: put(key, value, options),
});

const LONG = "x".repeat(700);

/** `life` makes the values of two lives differ. */
export function scenesOf(life: number): readonly Scene[] {
  const value = (name: string) => `${name}${life}`;
  return [
    act(putAct("a", value("one"))),
    act(putAct("a", value("two")), putAct("b", value("one")), putAct("c", LONG)),
    (run) => run.read("a"),
    act({ kind: "grant", id: 7n, ttlMs: 60_000 }),
    act(putAct("leased/1", value("x"), { lease: withLease(7n) })),
    act(
      putAct("leased/2", value("y"), { lease: withLease(7n) }),
      putAct("own", value("z"), { lease: withTtl(20_000) }),
    ),
    (run) => run.advance(5000),
    act({ kind: "keepAlive", id: 7n }, { kind: "delete", delete: del("b") }),
    act({
      kind: "txn",
      txn: txn({
        compares: [compare("a", { kind: "exists", value: true })],
        success: [
          op.put(put("t/1", value("t"))),
          op.put(put("t/2", value("t"))),
          op.delete(del("c")),
        ],
        failure: [op.put(put("t/3", value("never")))],
      }),
    }),
    act(putAct("a", value("never"), { expectedModRevision: 1 })),
    saveSnapshot,
    act(putAct("d", LONG), putAct("e", value("e"))),
    (run) => run.act({ kind: "compact", revision: run.model.revision - 3 }),
    (run) => run.read("d"),
    (run) => run.advance(16_000),
    act({ kind: "grant", id: 8n, ttlMs: 30_000 }, putAct("d", value("d"))),
    (run) => run.restart(),
    act({ kind: "revoke", id: 7n }),
    act({ kind: "delete", delete: del(prefix("t/")) }, putAct("a", LONG)),
    saveSnapshot,
    act(putAct("f", value("f"))),
    (run) => run.advance(31_000),
    saveSnapshot,
    act(putAct("a", value("last")), putAct("g", LONG)),
    act({ kind: "delete", delete: del("nothing") }, putAct("h", value("h"))),
  ];
}

/** Goes on until the end, or until the crash. */
export async function play(run: CrashRun, scenes: readonly Scene[]): Promise<void> {
  const playing = async () => {
    for (const scene of scenes) await scene(run);
  };
  await Promise.race([playing(), run.files.crashed]);
  await run.settle();
}

/** Lets time pass until a snapshot is saved, and the files go that it replaces. */
async function saveSnapshot(run: CrashRun): Promise<void> {
  const saved = () => run.files.log.filter((line) => /rename .*snapshot/.test(line)).length;
  const before = saved();
  for (let second = 0; second < 10 && saved() === before; second += 1) {
    await run.advance(1000);
    await untilQuiet(run.files);
  }
  if (saved() === before) throw new Error("no snapshot was saved");
}
