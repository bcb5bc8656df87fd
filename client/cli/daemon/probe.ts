// A look at an address: does somebody take connections there? Nothing is sent.

import { connect } from "node:net";

export type Probe =
  | { readonly kind: "open"; readonly latencyMs: number }
  /** Such as ECONNREFUSED. */
  | { readonly kind: "failed"; readonly code: string };

/** Bounds a look at hosts that swallow what is sent to them. */
const PROBE_MS = 3_000;

export function probe(address: string, timeoutMs = PROBE_MS): Promise<Probe> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect(socketOf(address));
    const end = (result: Probe) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end({ kind: "failed", code: "ETIMEDOUT" }), timeoutMs);
    socket.once("connect", () => end({ kind: "open", latencyMs: performance.now() - began }));
    socket.once("error", (error) => end({ kind: "failed", code: codeOf(error) }));
  });
}

/** Does nobody listen there? Whatever else is the matter, calls will tell. */
export async function isRefused(address: string): Promise<boolean> {
  const result = await probe(address);
  return result.kind === "failed" && result.code === "ECONNREFUSED";
}

/** "[::1]:7856", "host:7856" or "unix:/path", as node:net takes it. */
export function socketOf(
  address: string,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  const bare = address.replace(/^http:\/\/([^/]+)\/?$/i, "$1");
  if (bare.startsWith("unix:")) return { path: bare.slice("unix:".length).replace(/^\/\//, "") };
  const colon = bare.lastIndexOf(":");
  const host = bare.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(bare.slice(colon + 1)) };
}

/** Of several addresses of one name, all failed: the first tells. */
function codeOf(error: Error): string {
  const { code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  const [first] = errors ?? [];
  return (first as NodeJS.ErrnoException | undefined)?.code ?? code ?? error.message;
}
