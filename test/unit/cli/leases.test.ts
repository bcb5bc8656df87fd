// kvctl lease and kvctl compact against a served store; and how a lease is kept alive, on a clock
// that the test moves.

import test from "ava";
import { parseCommandLine } from "../../../client/cli/command-line.js";
import { EXIT } from "../../../client/cli/exit-codes.js";
import { Failure } from "../../../client/cli/failure.js";
import { keepRenewing, type RenewalTime } from "../../../client/cli/lease-renewal.js";
import { KvdClientError, type Leases } from "../../../client/index.js";
import { kvctl as kvctlWith, rows, shell } from "./shell.js";

test("lease grant prints the id alone, which put takes", async (t) => {
  const { kv, kvctl } = await shell(t);
  const granted = await kvctl("lease", "grant", "1h");
  t.is(granted.exitCode, 0);
  t.regex(granted.stdout, /^\d+\n$/);
  const id = granted.stdout.trim();
  t.is((await kvctl("put", "k", "v", "--lease", id)).exitCode, 0);
  t.is((await kv.get("k"))?.leaseId, BigInt(id));
});

test("an id beyond 2^53 is text in JSON, exactly", async (t) => {
  const { kvctl } = await shell(t);
  const id = "-9223372036854775807";
  const granted = await kvctl("lease", "grant", "1h", "--id", id, "--output", "jsonl");
  t.deepEqual(rows(granted), [{ revision: 1, lease: id, ttl: "3600s" }]);
  t.like(rows(await kvctl("lease", "info", id, "--output", "jsonl"))[0] as object, { lease: id });
  t.like(rows(await kvctl("lease", "list", "--output", "jsonl"))[0] as object, { lease: id });
  const renewed = await kvctl("lease", "keep-alive", id, "--once", "--output", "jsonl");
  t.deepEqual(rows(renewed), [{ lease: id, ttl: "3600s" }]);
  t.is((await kvctl("lease", "grant", "1h", "--id", id)).exitCode, 1);
});

test("lease list has every lease once, in every format", async (t) => {
  const { kv, kvctl } = await shell(t);
  const leases = async (format: string) =>
    (await kvctl("lease", "list", "--output", format)).stdout;
  t.deepEqual(JSON.parse(await leases("json")), { leases: [] });
  t.is(await leases("text"), "");
  for (let id = 1n; id <= 1_100n; id += 1n) await kv.lease.grant("1h", { id });
  const all = JSON.parse(await leases("json")).leases as { lease: string; grantedTtl: string }[];
  t.deepEqual(
    all.map(({ lease }) => lease),
    Array.from({ length: 1_100 }, (_, index) => String(index + 1)),
  );
  t.true(all.every(({ grantedTtl }) => grantedTtl === "3600s"));
  t.regex(await leases("text"), /^1\t\d+(\.\d+)?s\t3600s\n2\t/);
  t.regex(await leases("table"), /│ +1100 │ +35\d\d(\.\d+)?s │ +3600s │/);
});

test("lease info tells what remains, and the keys when they are asked for", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.lease.grant("1h", { id: 7n });
  for (const key of ["b", "a\n", Uint8Array.of(0xff)]) await kv.put(key, "", { leaseId: 7n });
  t.regex((await kvctl("lease", "info", "7")).stdout, /^ttl (?:1h|59m 59s) of 1h\n$/);
  const withKeys = await kvctl("lease", "info", "7", "--keys");
  t.regex(withKeys.stdout, /^ttl .*\n"a\\n"\nb\n"\\xff"\n$/);
  const [form] = rows(await kvctl("lease", "info", "7", "--keys", "--output", "jsonl"));
  const keys = [{ key: "a\n" }, { key: "b" }, { key64: "/w==" }];
  t.like(form as object, { lease: "7", grantedTtl: "3600s", keys, more: false });
  t.regex((await kvctl("lease", "info", "7", "--keys", "--output", "table")).stdout, /│ b +│/);
});

test("lease revoke deletes the keys of the lease in one revision", async (t) => {
  const { kv, kvctl } = await shell(t);
  await kv.lease.grant("1h", { id: 7n });
  for (const key of ["a", "b"]) await kv.put(key, "", { leaseId: 7n });
  t.is((await kvctl("lease", "revoke", "7")).stdout, "deleted 2, revision 4\n");
  t.is((await kv.count({ all: true })).count, 0);
  for (const action of ["revoke", "info", "keep-alive"]) {
    const { exitCode, stdout, stderr } = await kvctl("lease", action, "7");
    t.is(exitCode, 1, action);
    t.is(stdout, "");
    t.regex(stderr, /no lease 7/);
  }
});

test("what lease cannot mean ends with 2, before any server is asked", async (t) => {
  const environment = { KVCTL_SERVER: "127.0.0.1:1" };
  const cases = [
    ["lease"],
    ["lease", "gran", "30s"],
    ["lease", "grant"],
    ["lease", "grant", "30"],
    ["lease", "grant", "30s", "40s"],
    ["lease", "grant", "30s", "--id", "0"],
    ["lease", "grant", "30s", "--id", "9223372036854775808"],
    ["lease", "grant", "30s", "--keys"],
    ["lease", "info", "x"],
    ["lease", "info", "0"],
    ["lease", "list", "7"],
    ["lease", "revoke"],
    ["lease", "list", "--output", "raw"],
    ["compact"],
    ["compact", "-1"],
    ["compact", "1.5"],
    ["compact", "1", "2"],
  ];
  for (const argv of cases) {
    const { exitCode, stdout, stderr } = await kvctlWith(argv, environment);
    t.is(exitCode, 2, `${argv.join(" ")}: ${stderr}`);
    t.is(stdout, "");
  }
});

test("only what changes the store is said to be in doubt", async (t) => {
  for (const [action, writes] of [
    ["grant", true],
    ["keep-alive", true],
    ["revoke", true],
    ["list", false],
    ["info", false],
  ] as const) {
    const line = await parseCommandLine(["lease", action, "7"]);
    t.is(line.kind === "run" && line.writes, writes, action);
  }
});

test("compact drops what is superseded, and tells where history begins", async (t) => {
  const { kv, kvctl } = await shell(t);
  for (const value of ["1", "2", "3"]) await kv.put("k", value);
  t.is((await kvctl("compact", "3")).stdout, "compact revision 3\n");
  t.is((await kvctl("get", "k", "--rev", "2")).exitCode, 7);
  t.is((await kvctl("get", "k", "--rev", "3")).stdout, "2\n");
  t.is((await kvctl("compact", "3")).exitCode, 7);
  t.is((await kvctl("compact", "9")).exitCode, 6);
  t.is((await kvctl("compact", "0")).exitCode, 6);
  for (let times = 0; times < 2; times += 1) {
    const now = await kvctl("compact", "now", "--output", "jsonl");
    t.deepEqual(rows(now), [{ revision: 4, compactRevision: 4 }]);
  }
  t.is((await kvctl("get", "k")).stdout, "3\n");
});

/** A server of one lease: each answer is a ttl, undefined for a lease that is gone, or an error. */
function renewals(answers: (number | undefined | Error)[]) {
  const interruption = new AbortController();
  const told: string[] = [];
  let nowMs = 0;
  const leases: Pick<Leases, "keepAlive"> = {
    keepAlive: async () => {
      const answer = answers.shift();
      if (answers.length === 0) interruption.abort(EXIT.interrupted);
      told.push(`asked at ${nowMs}`);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const time: RenewalTime = {
    nowMs: () => nowMs,
    pause: async (ms) => {
      nowMs += ms;
    },
  };
  const { signal } = interruption;
  const renewed = async (ttlMs: number) => void told.push(`renewed for ${ttlMs}`);
  const lost = (leftMs: number) => void told.push(`lost with ${leftMs} left`);
  const ended = keepRenewing(leases, 7n, { signal, timeoutMs: 0, renewed, lost, time });
  return { ended, told };
}

const away = () => new KvdClientError("UNAVAILABLE", "connection refused");

test("a lease is renewed when a third of its time is over, until the signal", async (t) => {
  const { ended, told } = renewals([3_000, 3_000, 6_000, 6_000]);
  await ended;
  const asked = told.filter((text) => text.startsWith("asked"));
  t.deepEqual(asked, ["asked at 0", "asked at 1000", "asked at 2000", "asked at 4000"]);
  t.is(told.length, 8);
});

test("a server that is away is asked again while the lease can live, and told once", async (t) => {
  const { ended, told } = renewals([3_000, away(), away(), 3_000, 3_000]);
  await ended;
  t.deepEqual(told, [
    "asked at 0",
    "renewed for 3000",
    "asked at 1000",
    "lost with 2000 left",
    "asked at 1500",
    "asked at 2000",
    "renewed for 3000",
    "asked at 3000",
    "renewed for 3000",
  ]);
});

test("a server that stays away longer than the lease lives is the error", async (t) => {
  const { ended, told } = renewals([3_000, away(), away(), away(), away(), away(), away(), away()]);
  const error = await t.throwsAsync(ended, { instanceOf: KvdClientError });
  t.is(error?.code, "UNAVAILABLE");
  t.is(told.at(-1), "asked at 3000");
});

test("a lease that is gone ends its renewal with 1, and a server away at first with its error", async (t) => {
  const gone = await t.throwsAsync(renewals([3_000, undefined, 1]).ended, { instanceOf: Failure });
  t.is(gone?.exitCode, EXIT.negative);
  await t.throwsAsync(renewals([away(), 1]).ended, { instanceOf: KvdClientError });
  const refused = new KvdClientError("INTERNAL", "a fault");
  t.is(await t.throwsAsync(renewals([3_000, refused, 1]).ended), refused);
});
