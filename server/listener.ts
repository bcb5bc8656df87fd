// A listening socket: TCP or unix, bound with errors that say what to do.
//
// A unix socket's file that nobody listens on (its server was killed) is removed first; one that
// somebody listens on, or that is no socket, never. The file goes when the listener closes. Knows
// nothing of gRPC: connections are handed on.

import { lstat, unlink } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { AddressError, type ListenAddress, showListenAddress } from "./listen-address.js";

export interface Listener {
  /** With the real port. */
  readonly address: ListenAddress;
  /** Takes no more connections; those that are open stay. Twice does no harm. */
  close(): Promise<void>;
}

/** @throws AddressError, with what the system said as its cause. */
export async function openListener(
  address: ListenAddress,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  try {
    return await bind(address, onConnection);
  } catch (error) {
    if (
      address.kind === "unix" &&
      codeOf(error) === "EADDRINUSE" &&
      (await isStale(address.path))
    ) {
      await unlink(address.path);
      return await bind(address, onConnection).catch((again) => refuse(address, again));
    }
    return refuse(address, error);
  }
}

function bind(address: ListenAddress, onConnection: (socket: Socket) => void): Promise<Listener> {
  const server = createServer({ noDelay: true }, onConnection);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      address.kind === "unix"
        ? { path: address.path }
        : { host: address.host, port: address.port, exclusive: true },
      () => {
        server.off("error", reject);
        // Such as no more file descriptors: the connection is lost, the listener goes on.
        server.on("error", () => {});
        resolve({ address: boundAddress(address, server), close: () => close(server) });
      },
    );
  });
}

function boundAddress(address: ListenAddress, server: Server): ListenAddress {
  if (address.kind === "unix") return address;
  const { address: host, port } = server.address() as AddressInfo;
  return { kind: "tcp", host, port };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) resolve();
    // Its callback would wait for the connections too; from here on nobody can connect.
    else {
      server.close();
      setImmediate(resolve);
    }
  });
}

/** Whether it is a socket that nobody listens on. */
async function isStale(path: string): Promise<boolean> {
  const file = await lstat(path).catch(() => undefined);
  if (!file?.isSocket()) return false;
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error) => resolve(codeOf(error) === "ECONNREFUSED"));
  });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use",
  EACCES: "may not be used: permission denied",
  EADDRNOTAVAIL: "is not an address of this machine",
  ENOENT: "cannot be made: its directory does not exist",
  ENOTFOUND: "cannot be resolved",
};

function refuse(address: ListenAddress, cause: unknown): never {
  const why = CAUSES[codeOf(cause) ?? ""] ?? `cannot be listened on (${codeOf(cause) ?? cause})`;
  throw new AddressError(`address ${showListenAddress(address)} ${why}`, { cause });
}
