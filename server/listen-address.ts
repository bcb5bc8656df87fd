// Addresses to listen on: host:port, [v6]:port and unix:/path.
//
// The only parser of them. Port 0 asks for a free port. Knows nothing of sockets.

export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** An address that cannot be listened on; the text names it and says why. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

const PORT_MAX = 65_535;

/** The bytes of a path that fit the kernel's sockaddr_un, its closing zero left out. */
const UNIX_PATH_MAX_BYTES = process.platform === "linux" ? 107 : 103;

const V6 = /^\[([0-9a-f:.]+(?:%[\w.-]+)?)\]:(\d{1,5})$/i;
const NAME = /^([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):(\d{1,5})$/i;

/** @throws AddressError. */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith("unix:")) return parseUnix(text);
  const match = V6.exec(text) ?? NAME.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > PORT_MAX) {
    throw new AddressError(
      `cannot listen on ${JSON.stringify(text)}: expected host:port (port 0 to ${PORT_MAX}), ` +
        "[v6 address]:port or unix:/path",
    );
  }
  return { kind: "tcp", host: match[1], port };
}

/** Only processes of this machine can reach it. */
export function isLoopback(address: ListenAddress): boolean {
  if (address.kind === "unix") return true;
  const host = address.host.toLowerCase();
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The form that parseListenAddress takes. */
export function showListenAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = address;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseUnix(text: string): ListenAddress {
  const path = text.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
  if (path === "" || path.includes("\0")) {
    throw new AddressError(`cannot listen on ${JSON.stringify(text)}: expected unix:/path`);
  }
  if (Buffer.byteLength(path) > UNIX_PATH_MAX_BYTES) {
    throw new AddressError(
      `cannot listen on ${text}: the path of a socket has at most ${UNIX_PATH_MAX_BYTES} bytes`,
    );
  }
  return { kind: "unix", path };
}
