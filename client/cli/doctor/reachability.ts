// Can the server be reached? Its name, its port, and whether it speaks gRPC, step by step, so that
// the first thing that is wrong is named, and nothing that only follows from it.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { performance } from "node:perf_hooks";
import type { Kvd } from "../../index.js";
import { probe, socketOf } from "../daemon/probe.js";
import { isClientError } from "../error-text.js";
import type { Settings } from "../settings.js";
import { type Finding, ok, problem } from "./finding.js";
import type { Peer } from "./peer.js";

/** "0.4 ms". */
export function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export async function nameFinding(settings: Settings): Promise<Finding | undefined> {
  const target = socketOf(settings.server);
  if ("path" in target || isIP(target.host) !== 0) return undefined;
  const { host } = target;
  try {
    const addresses = await lookup(host, { all: true });
    return ok("name", `${host} is ${addresses.map(({ address }) => address).join(", ")}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = `look at ${wayOf(settings)}, and at the resolver of this machine`;
    return problem("name", `${host} cannot be resolved (${code})`, fix);
  }
}

export async function portFinding(settings: Settings): Promise<Finding> {
  const { server } = settings;
  const result = await probe(server);
  if (result.kind === "open") {
    return ok("connection", `${server} takes connections, in ${msText(result.latencyMs)}`);
  }
  const { code } = result;
  const [says = `no connection to ${server} (${code})`, fix] = texts(settings)[code] ?? [];
  return problem("connection", says, fix ?? `look at ${wayOf(settings)}`);
}

/** What is said of a code of the system, and what to do. */
function texts(settings: Settings): Readonly<Record<string, readonly [string, string]>> {
  const { server, origins } = settings;
  const also = settings.autostart ? ", and so does any verb that needs it" : "";
  const start =
    origins.server === "default"
      ? `kvctl serve starts kvd${also}`
      : `start kvd there, or look at ${wayOf(settings)}`;
  return {
    ECONNREFUSED: [`nobody listens on ${server}`, start],
    ENOENT: [`there is no socket ${server}`, start],
    ETIMEDOUT: [
      `${server} does not answer`,
      `is the machine up, and does a firewall let its port through? else look at ${wayOf(settings)}`,
    ],
    EHOSTUNREACH: [`no route to ${server}`, `look at the network, and at ${wayOf(settings)}`],
    EACCES: [`${server} may not be used by this user`, "give this user rights on the socket"],
  };
}

/** Where the address comes from, for whoever has to mend it. */
export function wayOf({ origins, context }: Settings): string {
  switch (origins.server) {
    case "flag":
      return "--server";
    case "variable":
      return "KVCTL_SERVER";
    case "context":
      return `the context ${context} (kvctl context add ${context} --force --server ADDRESS)`;
    case "default":
      return "KVCTL_PORT";
  }
}

/** Undefined `health` when there was no answer. */
export async function grpcFinding(
  kv: Kvd,
  settings: Settings,
  peer: Peer,
  signal: AbortSignal,
): Promise<Finding> {
  const began = performance.now();
  try {
    const health = await kv.maintenance.health({ signal });
    const says = `health is ${health}, in ${msText(performance.now() - began)}`;
    if (health === "serving") return ok("health", says);
    const fix = "it stops, or its disk has failed: its log tells; then start it again";
    return problem("health", says, fix);
  } catch (error) {
    if (!isClientError(error)) throw error;
    const found = foreignText(peer) ?? `no answer over gRPC: ${error.message}`;
    return problem("health", `${settings.server}: ${found}`, `look at ${wayOf(settings)}`);
  }
}

function foreignText({ speaks }: Peer): string | undefined {
  switch (speaks) {
    case "HTTP":
      return "it speaks HTTP, and no gRPC";
    case "TLS":
      return "it speaks TLS, which kvctl does not yet";
    case "nothing":
      return "it takes connections, and says nothing";
    case "something else":
      return "it speaks neither gRPC nor HTTP";
  }
}
