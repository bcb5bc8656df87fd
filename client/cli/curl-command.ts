// The command lines of gRPC tools, quoted for a shell. Both ask the server for its descriptors.

import type { CurlTool } from "./settings.js";

/** Above it the system may not take it as an argument (128 KiB), so it is standard input. */
const ARGUMENT_MAX_BYTES = 100 * 1024;

export interface CurlCall {
  /** As kvctl takes it. */
  readonly server: string;
  /** "kvd.v1.KvService/Get". */
  readonly method: string;
  /** On one line. */
  readonly json: string;
}

export function curlCommand(tool: CurlTool, call: CurlCall): string {
  const { server, json } = call;
  const address = server.replace(/^http:\/\/([^/]+)\/?$/i, "$1");
  const socket = address.startsWith("unix:") ? address.slice("unix:".length) : undefined;
  const inline = Buffer.byteLength(json) <= ARGUMENT_MAX_BYTES;
  const words = tool === "buf" ? bufWords(call, socket ?? address) : grpcurlWords(call, address);
  const data = inline ? json : tool === "buf" ? "@-" : "@";
  const line = words.map((word) => quoted(word === DATA ? data : word)).join(" ");
  return inline ? line : `${line} <<'JSON'\n${json}\nJSON`;
}

/** Stands where the request goes. */
const DATA = "\0data";

function bufWords({ server, method }: CurlCall, address: string): string[] {
  const flags = ["--protocol", "grpc", "--http2-prior-knowledge"];
  const socket = server.startsWith("unix:");
  const where = socket ? ["--unix-socket", address, "-d", DATA] : ["-d", DATA];
  return ["buf", "curl", ...flags, ...where, `http://${socket ? "localhost" : address}/${method}`];
}

function grpcurlWords({ method }: CurlCall, address: string): string[] {
  const socket = address.startsWith("unix:");
  const where = socket
    ? ["-unix", "-d", DATA, address.slice("unix:".length)]
    : ["-d", DATA, address];
  return ["grpcurl", "-plaintext", ...where, method];
}

/** As it is where a POSIX shell leaves it alone, else in single quotes. */
function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
