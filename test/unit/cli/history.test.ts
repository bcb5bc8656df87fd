// history, undo and --at: what was, when, and how it comes back.

import test, { type ExecutionContext } from "ava";
import { revisionAt } from "../../../client/cli/history/revision-at.js";
import { ManualClock } from "../../support/manual-clock.js";
import { serve } from "../client/served.js";
import { kvctl as kvctlWith, rows, shell } from "./shell.js";

const START = 1_700_000_000_000;
const { signal } = new AbortController();

/** A store whose revision r, from 2 on, was committed at START + 1000 * r. */
async function timed(t: ExecutionContext, revisions: number) {
  const clock = new ManualClock({ wallMs: START });
  const { kv, server } = await serve(t, { clock });
  let now = 0;
  for (let revision = 2; revision <= revisions; revision += 1) {
    await clock.advance(revision * 1_000 - now);
    now = revision * 1_000;
    await kv.put("k", String(revision));
  }
  const kvctl = (...argv: string[]) => kvctlWith(argv, { KVCTL_SERVER: server.address });
  return { kv, kvctl };
}

test("the revision of a moment is the last one that was committed by then", async (t) => {
  const { kv } = await timed(t, 40);
  const at = (ms: number) => revisionAt(kv, START + ms, signal);
  t.is(await at(0), 1);
  t.is(await at(1_999), 1);
  t.is(await at(2_000), 2);
  for (const revision of [3, 17, 39, 40]) {
    t.is(await at(revision * 1_000), revision);
    t.is(await at(revision * 1_000 + 999), revision);
  }
  t.is(await at(1_000_000), 40);
});

test("it is found in a history of many messages, by few questions", async (t) => {
  const clock = new ManualClock({ wallMs: START });
  const { kv } = await serve(t, { clock });
  for (let second = 1; second <= 10; second += 1) {
    await clock.advance(1_000);
    const puts = Array.from({ length: 500 }, (_, at) => kv.put(`${at}`, "x".repeat(100)));
    await Promise.all(puts);
  }
  let questions = 0;
  const counting = {
    maintenance: kv.maintenance,
    watch: (...given: Parameters<typeof kv.watch>) => {
      questions += 1;
      return kv.watch(...given);
    },
  };
  for (let second = 0; second <= 10; second += 1) {
    const moment = START + second * 1_000 + 500;
    t.is(await revisionAt(counting, moment, signal), 1 + second * 500);
  }
  t.true(questions <= 11 * 8, `${questions}`);
});

test("a moment before the history that is left ends with 7", async (t) => {
  const { kv, kvctl } = await timed(t, 10);
  await kv.maintenance.compact(6);
  t.is(await revisionAt(kv, START + 6_000, signal), 6);
  t.is(await revisionAt(kv, START + 8_500, signal), 8);
  const early = new Date(START + 5_999).toISOString();
  const { exitCode, stderr } = await kvctl("get", "k", "--at", early);
  t.is(exitCode, 7);
  t.regex(stderr, /compacted; it begins at revision 6/);
});

test("--at goes with whatever reads at a revision", async (t) => {
  const { kv, kvctl } = await timed(t, 5);
  await kv.put("later", "1");
  const at = ["--at", new Date(START + 3_500).toISOString()];
  t.is((await kvctl("get", "k", ...at)).stdout, "3\n");
  t.is((await kvctl("range", "--all", ...at)).stdout, "k\t3\n");
  t.is((await kvctl("get", "--all", ...at)).stdout, "k\t3\n");
  t.is((await kvctl("ls", ...at)).stdout, "k\n");
  t.is((await kvctl("count", "--all", ...at)).stdout, "1\n");
  t.is((await kvctl("export", ...at)).stdout, '{"key":"k","value":"3"}\n');
  t.is((await kvctl("get", "k", "--rev", "3", ...at)).exitCode, 2);
  t.is((await kvctl("get", "k", "--at", "soon")).exitCode, 2);
});

test("history shows every version, the newest first", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("k", "a");
  await kv.put("other", "x");
  await kv.put("k", "b");
  await kv.delete("k");
  const { leaseId } = await kv.put("k", "c", { ttl: "1h" });
  await kv.lease.revoke(leaseId);
  const shown = await kvctl("history", "k", "--output", "jsonl");
  t.like(rows(shown), {
    0: { revision: 7, type: "delete", reason: "revoked" },
    1: { revision: 6, type: "put", value: "c", version: 1 },
    2: { revision: 5, type: "delete", reason: "deleted" },
    3: { revision: 4, type: "put", value: "b", version: 2 },
    4: { revision: 2, type: "put", value: "a", key: "k" },
    length: 5,
  });
  const { stdout } = await kvctl("history", "k");
  t.regex(stdout, /^ {6}7 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d revoked\n {6}6 .* put {5}c\n/);
  const few = await kvctl("history", "--all", "--limit", "2", "--reverse");
  t.regex(few.stdout, /^ {6}6 .*\n {6}7 .*\n$/);
  t.regex(few.stderr, /4 older ones/);
  t.regex((await kvctl("history", "k", "--limit", "3", "--diff")).stdout, /deleted\n {8}- b\n/);
  const { versions } = JSON.parse((await kvctl("history", "k", "--output", "json")).stdout);
  t.is(versions.length, 5);
  t.is((await kvctl("history", "never")).exitCode, 1);
  t.is((await kvctl("history", "k", "--output", "raw")).exitCode, 2);
});

test("a value from before the history is there, without a time", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("k", "a");
  await kv.put("x", "1");
  await kv.put("x", "2");
  await kv.maintenance.compact(4);
  t.like(rows(await kvctl("history", "k", "--output", "jsonl")), {
    0: { revision: 2, value: "a", time: null },
    length: 1,
  });
  t.regex((await kvctl("history", "k")).stdout, /before the history/);
});

test("a long value is cut in text, and whole in JSON", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("k", "🦒".repeat(500));
  t.true((await kvctl("history", "k")).stdout.endsWith(`${"🦒".repeat(60)}…\n`));
  t.like(rows(await kvctl("history", "k", "--output", "jsonl"))[0], { value: "🦒".repeat(500) });
});

const INVERSE = `mod(a) = 4
mod(new) = 4
!exists(gone)
--
put a 1
del new
put gone x
`;

test("undo prints the inverse, and applies it when it is told to", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("a", "1");
  const { leaseId } = await kv.put("gone", "x", { ttl: "1h" });
  const { revision } = await kv.txn({
    success: [
      { kind: "put", key: "a", value: "2", options: {} },
      { kind: "put", key: "new", value: "n", options: {} },
      { kind: "delete", selector: "gone", options: {} },
    ],
  });
  const { stdout } = await kvctl("undo", String(revision));
  t.true(stdout.includes(INVERSE), stdout);
  t.is((await kv.maintenance.status()).revision, revision);
  const done = await kvctl("undo", String(revision), "--yes", "--output", "jsonl");
  t.deepEqual(rows(done), [{ undone: 4, keys: 3, revision: 5 }]);
  t.regex(done.stderr, /the lease of "gone" is over/);
  t.is((await kv.get("a"))?.text(), "1");
  t.like(await kv.get("gone"), { leaseId: 0n });
  t.is(await kv.get("new"), undefined);
  t.not(leaseId, 0n);
});

test("undo writes nothing over what somebody changed since", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put("a", "1");
  await kv.put("a", "2");
  await kv.put("a", "3");
  const { exitCode, stdout, stderr } = await kvctl("undo", "3", "--yes");
  t.is(exitCode, 1);
  t.is(stdout, "");
  t.regex(stderr, /"a" was changed at revision 4 since/);
  t.is((await kv.get("a"))?.text(), "3");
  t.regex((await kvctl("undo", "3")).stderr, /does not hold any more/);
});

test("undo gives a lease back that still lives", async (t) => {
  const { kv, kvctl } = await shell(t);
  const { id } = await kv.lease.grant("1h");
  await kv.put("a", "1", { leaseId: id });
  await kv.put("a", "2");
  t.is((await kvctl("undo", "3", "--yes")).exitCode, 0);
  t.like(await kv.get("a"), { leaseId: id });
  t.is((await kvctl("undo", "4", "--yes")).exitCode, 0);
  t.like(await kv.get("a"), { leaseId: 0n });
});

test("undo says why it cannot", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.put(Uint8Array.of(0xff), Uint8Array.of(0));
  await kv.put("k", "1");
  await kv.put("k", "2");
  t.is((await kvctl("undo", "2")).exitCode, 6);
  t.like(rows(await kvctl("undo", "2", "--output", "jsonl"))[0], {
    success: [{ delete: { key64: "/w==" } }],
  });
  t.is((await kvctl("undo", "99")).exitCode, 6);
  t.is((await kvctl("undo", "x")).exitCode, 2);
  t.is((await kvctl("undo", "1")).exitCode, 1);
  await kv.maintenance.compact(4);
  t.is((await kvctl("undo", "3")).exitCode, 7);
  t.is((await kvctl("undo", "4")).exitCode, 7);
});
