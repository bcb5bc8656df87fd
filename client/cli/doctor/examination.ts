// All that doctor looks at, in the order in which one thing needs the other. What cannot be looked
// at because of something before it is left out.

import type { Kvd } from "../../index.js";
import type { Invocation } from "../command.js";
import { daemonFiles } from "../daemon/daemon-files.js";
import { daemonState } from "../daemon/daemon-state.js";
import { isClientError } from "../error-text.js";
import { packageVersion } from "../version.js";
import { diskFinding } from "./disk-finding.js";
import { type Finding, ok, problem, warning } from "./finding.js";
import { lookAtPeer } from "./peer.js";
import { grpcFinding, nameFinding, portFinding, wayOf } from "./reachability.js";
import {
  clockFinding,
  fillFindings,
  latencyFinding,
  nodeFinding,
  problemFindings,
  versionFinding,
} from "./server-findings.js";
import { variableFindings } from "./setting-rows.js";

export async function examine(invocation: Invocation): Promise<Finding[]> {
  const { settings, environment, signal } = invocation;
  const found: Finding[] = [nodeFinding(), ...variableFindings(environment)];
  // It checks the address, and sends nothing yet.
  const kv = await invocation.connect();
  const reached = await add(found, [() => nameFinding(settings), () => portFinding(settings)]);
  if (reached) {
    const peer = await lookAtPeer(settings.server);
    const answers = await add(found, [() => grpcFinding(kv, settings, peer, signal)]);
    if (answers) {
      found.push(...(await serverFindings(invocation, kv)));
      const clock = clockFinding(peer);
      if (clock !== undefined) found.push(clock);
    }
  }
  found.push(...(await localFindings(invocation)));
  return found;
}

/** Looks at one after the other, up to the first problem. */
async function add(
  found: Finding[],
  looks: readonly (() => Promise<Finding | undefined>)[],
): Promise<boolean> {
  for (const look of looks) {
    const finding = await look();
    if (finding !== undefined) found.push(finding);
    if (finding?.state === "problem") return false;
  }
  return true;
}

async function serverFindings(
  { settings, signal }: Invocation,
  kv: Kvd,
): Promise<readonly Finding[]> {
  try {
    const status = await kv.maintenance.status({ signal });
    const latency = await latencyFinding(kv, settings, signal);
    const version = versionFinding(status, packageVersion());
    return [version, ...problemFindings(status), latency, ...fillFindings(status)];
  } catch (error) {
    if (!isClientError(error)) throw error;
    const fix = `is it kvd, and of this version? look at ${wayOf(settings)}`;
    return [problem("server", `it does not answer as kvd does: ${error.message}`, fix)];
  }
}

/** Of the daemon, when it is what the other verbs would use. */
async function localFindings({ settings, environment }: Invocation): Promise<Finding[]> {
  if (settings.origins.server !== "default") return [];
  const files = daemonFiles(environment);
  const { state, pid, address } = await daemonState(settings.server, files);
  const disk = await diskFinding(files);
  const more = disk === undefined ? [] : [disk];
  switch (state) {
    case "running": {
      const says = `kvd (pid ${pid ?? "unknown"}) serves ${files.dataDir}`;
      if (address === settings.server) return [ok("daemon", says), ...more];
      const port = address.slice(address.lastIndexOf(":") + 1);
      const fix = `KVCTL_PORT=${port} finds it, kvctl serve --stop ends it`;
      return [problem("daemon", `${says} on ${address}`, fix), ...more];
    }
    case "other":
      return [ok("daemon", "this kvd was started by hand: it is not the one that kvctl starts")];
    case "not answering": {
      const says = `kvd (pid ${pid ?? "unknown"}) has ${files.dataDir}, and does not answer`;
      return [warning("daemon", says, `its log is ${files.log}`), ...more];
    }
    case "stopped":
      return more;
  }
}
