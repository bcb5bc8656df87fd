// How a server is that answers: versions, its own problems, how full it is, how fast, its clock.

import { performance } from "node:perf_hooks";
import type { Kvd, Status } from "../../index.js";
import { engineText } from "../engine-text.js";
import type { Settings } from "../settings.js";
import { roughBytesText } from "../units.js";
import { packageVersion } from "../version.js";
import { type Finding, ok, problem, warning } from "./finding.js";
import type { Peer } from "./peer.js";
import { msText } from "./reachability.js";

const NODE_MIN = [20, 19] as const;

export function nodeFinding(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const says = `kvctl ${packageVersion()} on Node ${version}`;
  const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
  if (!isOld) return ok("kvctl", says);
  return warning("kvctl", says, `it is made for Node ${NODE_MIN.join(".")} or later: use Node 24`);
}

export function versionFinding(status: Status, own: string): Finding {
  const { version } = status;
  const says = `kvd ${version}, engine: ${engineText(status)}`;
  if (version === own) return ok("version", says);
  const fix =
    "use the same version on both sides; kvctl serve --stop ends a local server that is old";
  return warning("version", `${says}; kvctl is ${own}`, fix);
}

export function problemFindings({ problems }: Status): Finding[] {
  return problems.map((text) =>
    problem("server", text, "its log, and docs/guarantees.md, tell what to do"),
  );
}

/** Above it a limit is near; above the second, writes are refused soon. */
const NEAR = 0.8;
const FULL = 0.95;

export function fillFindings(status: Status): Finding[] {
  const { liveBytes, historyBytes, leases, watchers } = status;
  // History goes by itself when the store is full, so what lives counts.
  const store = fillOf(status, "store_max_bytes", liveBytes, (used, limit) => {
    const history = `${roughBytesText(historyBytes)} of history`;
    return `${roughBytesText(used)} of ${roughBytesText(limit)} in use, and ${history}`;
  });
  const counted = (what: string) => (used: number, limit: number) => `${used} of ${limit} ${what}`;
  return [
    ...store,
    ...fillOf(status, "leases_max", leases, counted("leases")),
    ...fillOf(status, "watchers_max", watchers, counted("watchers")),
  ];
}

function fillOf(
  { limits }: Status,
  name: string,
  used: number,
  text: (used: number, limit: number) => string,
): Finding[] {
  const limit = limits.find((each) => each.name === name);
  if (limit === undefined || limit.value === 0) return [];
  const says = text(used, limit.value);
  const share = used / limit.value;
  const fix = `remove some, or start kvd with a larger ${limit.flag}`;
  const check = name === "store_max_bytes" ? "store" : name.replace(/_max$/, "");
  if (share >= FULL) return [problem(check, says, fix)];
  return [share >= NEAR ? warning(check, says, fix) : ok(check, says)];
}

const CALLS = 10;
/** Absent, so that the answer is small; what it is does not matter. */
const KEY = "kvctl-doctor";

/** One after the other, on one connection that is there already. */
export async function latencyFinding(
  kv: Kvd,
  settings: Settings,
  signal: AbortSignal,
): Promise<Finding> {
  const took: number[] = [];
  for (let call = 0; call < CALLS; call += 1) {
    const began = performance.now();
    await kv.get(KEY, { signal });
    took.push(performance.now() - began);
  }
  took.sort((one, other) => one - other);
  const [median = 0, slowest = 0] = [took[CALLS / 2], took.at(-1)];
  const says = `${CALLS} gets: median ${msText(median)}, slowest ${msText(slowest)}`;
  const { timeoutMs } = settings;
  if (timeoutMs === 0 || slowest < timeoutMs / 4) return ok("latency", says);
  return warning("latency", says, `that is near --timeout, ${msText(timeoutMs)}: make it longer`);
}

const SKEW_MS = 2_000;

export function clockFinding({ clock }: Peer): Finding | undefined {
  if (clock === undefined) return undefined;
  const { aheadMs } = clock;
  const seconds = (Math.abs(aheadMs) / 1_000).toFixed(1);
  const says =
    aheadMs === 0
      ? "the server's clock and this one agree, within a second"
      : `the server's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this one`;
  if (Math.abs(aheadMs) < SKEW_MS) return ok("clock", says);
  return warning("clock", says, "synchronize the clocks of both machines (NTP)");
}
