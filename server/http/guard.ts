// Keeps web pages out. A browser lets any page send requests to a port of the machine it runs on,
// or of the network around it; what it says about them gives them away.
//
// Host must be an address, a name that only this machine has, or a name that was allowed: a page
// can give a name of its own any address (DNS rebinding), so it comes with that name. Origin and
// Sec-Fetch-Site tell requests of other sites. A page may send a body to other sites without
// asking first only as one of a few simple types, and JSON is none, or without a type: clients that
// forget theirs (txns of python's etcd3gw) are told from browsers by what these call themselves.

import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import type { Answer } from "./answer.js";

export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** Names in lower case. */
export type AllowedHosts = ReadonlySet<string>;

/** The answer to a request that is refused; undefined: it may pass. */
export function refusalOf(request: GuardedRequest, allowed: AllowedHosts): Answer | undefined {
  const { method, headers } = request;
  const { host, origin } = headers;
  if (host !== undefined && !isKnownHost(host, allowed)) return ofHost(host);
  if (origin !== undefined && !isSameOrigin(origin, host)) return ofOrigin(origin);
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return ofSite(String(site));
  if (method === "POST" && !isJson(headers) && !isOfForgetfulClient(headers)) return OF_TYPE;
  return undefined;
}

/** Browsers always send it, so a request without it, as of HTTP/1.0, is not theirs. */
function isKnownHost(host: string, allowed: AllowedHosts): boolean {
  const name = nameOf(host);
  if (name === undefined) return false;
  if (isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost")) return true;
  return allowed.has(name);
}

const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:@/?#\s[\]]+))(?::\d{1,5})?$/i;

/** Without the port; undefined when it is none. */
function nameOf(host: string): string | undefined {
  const match = HOST.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) && from === new URL(`${protocol}//${host}`).host;
}

function isJson({ "content-type": type }: IncomingHttpHeaders): boolean {
  return type?.split(";")[0]?.trim().toLowerCase() === "application/json";
}

/** All browsers begin with it, and pages cannot change it. */
const BROWSER = /^\s*Mozilla\//i;

function isOfForgetfulClient(headers: IncomingHttpHeaders): boolean {
  const { "content-type": type, "user-agent": agent = "" } = headers;
  return type === undefined && !BROWSER.test(agent);
}

function ofHost(host: string): Answer {
  const name = JSON.stringify(nameOf(host) ?? host);
  return refusal(
    421,
    `this server does not answer to the name ${name}, so that no web page can reach it under a ` +
      "name of its own.\nUse its address or localhost, or start kvd with --allowed-host.",
  );
}

function ofOrigin(origin: string): Answer {
  return refusal(403, `requests of web pages of ${JSON.stringify(origin)} are refused.`);
}

function ofSite(site: string): Answer {
  return refusal(
    403,
    `requests of web pages of other sites (Sec-Fetch-Site: ${site}) are refused.`,
  );
}

const OF_TYPE = refusal(
  415,
  "a POST needs its content type: say Content-Type: application/json\n" +
    "(curl -H 'Content-Type: application/json' -d '{…}'). Without it a web page could send it.",
);

function refusal(status: number, text: string): Answer {
  return { status, text: `kvd: ${text}\n` };
}
