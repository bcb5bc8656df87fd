// Of many kvctl that find no server at once, one starts it and the others wait for how that ends.
//
// The one listens on a socket in the daemon's folder, the others connect to it: they are told what
// became of it, and the end of the connection tells them that it is gone, however it went. This
// spares starts that would come to nothing. It decides nothing: where it fails (a folder that
// cannot have sockets, a socket left by one that was killed, taken over by two) the lock of the
// data directory still lets only one kvd live.

import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { EXIT_MEANINGS, type ExitCode } from "../exit-codes.js";

/** How a start ended, as those who waited for it are told. */
export type StartResult =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly text: string; readonly exitCode: ExitCode };

export type StartTurn =
  | {
      readonly kind: "starts";
      /** Undefined: it was broken off, and whoever waited may try. */
      end(result: StartResult | undefined): void;
    }
  | { readonly kind: "waits"; readonly result: Promise<StartResult | undefined> };

/** What every system takes; a longer path would silently be cut, to another one. */
const PATH_MAX_BYTES = 103;

/** A socket that is left over is removed so often; then there is no waiting for one another. */
const ATTEMPTS = 5;

/** The turn is over when `signal` is aborted, for those who wait. */
export async function takeStartTurn(path: string, signal: AbortSignal): Promise<StartTurn> {
  const attempts = Buffer.byteLength(path) > PATH_MAX_BYTES ? 0 : ATTEMPTS;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const waiting = new Set<Socket>();
    const bound = await listen(path, waiting);
    if (bound.kind === "listens") return { kind: "starts", end: ending(bound.server, waiting) };
    if (bound.code !== "EADDRINUSE") break;
    const socket = await connected(path);
    if (socket !== undefined) return { kind: "waits", result: resultFrom(socket, signal) };
    rmSync(path, { force: true });
  }
  return { kind: "starts", end: () => {} };
}

type Bound =
  | { readonly kind: "listens"; readonly server: Server }
  | { readonly kind: "failed"; readonly code: string | undefined };

function listen(path: string, waiting: Set<Socket>): Promise<Bound> {
  const server = createServer((socket) => {
    waiting.add(socket);
    // Its end is seen only when it is read.
    socket.resume().on("error", () => {});
    socket.once("close", () => waiting.delete(socket));
  });
  return new Promise((resolve) => {
    server.on("error", ({ code }: NodeJS.ErrnoException) => resolve({ kind: "failed", code }));
    server.listen(path, () => resolve({ kind: "listens", server }));
  });
}

function ending(server: Server, waiting: ReadonlySet<Socket>) {
  return (result: StartResult | undefined) => {
    server.close();
    for (const socket of waiting) socket.end(result === undefined ? "" : JSON.stringify(result));
  };
}

function connected(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}

function resultFrom(socket: Socket, signal: AbortSignal): Promise<StartResult | undefined> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    const leave = () => socket.destroy();
    signal.addEventListener("abort", leave);
    socket.on("error", () => {});
    socket.once("close", () => {
      signal.removeEventListener("abort", leave);
      resolve(resultFromText(text));
    });
    if (signal.aborted) leave();
  });
}

/** Of another version of kvctl, perhaps: what is not understood is nothing. */
export function resultFromText(json: string): StartResult | undefined {
  try {
    const { kind, text, exitCode } = JSON.parse(json);
    if (kind === "ready") return { kind };
    const isFailure = kind === "failed" && typeof text === "string" && exitCode in EXIT_MEANINGS;
    return isFailure ? { kind, text, exitCode } : undefined;
  } catch {
    return undefined;
  }
}
