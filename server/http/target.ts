// The target of a request as a proxy is given it: with scheme and host before the path. Every
// server has to take it, and the host that it names counts, not the one of the header.

import type { IncomingMessage } from "node:http";

const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/is;

/** Makes it a path, and its host that of the header. */
export function toOriginForm(request: IncomingMessage): void {
  const [, host, rest] = ABSOLUTE.exec(request.url ?? "") ?? [];
  if (host === undefined || rest === undefined) return;
  request.headers.host = host;
  request.url = rest.startsWith("/") ? rest : `/${rest}`;
}
