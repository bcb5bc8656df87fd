// Addresses, and the grpc-js channels that are opened to them: loopback or a socket file, in clear
// text, without a proxy.
//
// A channel connects when it is first used and again when the connection broke. Each has a
// connection of its own, so that what happens on one cannot starve another.

import { Client, credentials, type Interceptor } from "@grpc/grpc-js";

/** The forms of an address, for error texts. */
const FORMS = '"host:port", "[::1]:port" or "unix:/path"';

const HOST_PORT = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/;

/**
 * The target of an address: "127.0.0.1:7856", "localhost:7856", "[::1]:7856", "unix:/path"; the
 * same as "http://host:port" is taken too.
 *
 * @throws TypeError for anything else.
 */
export function targetFromAddress(address: string): string {
  if (typeof address !== "string") {
    throw new TypeError(`an address must be text such as ${FORMS}, not ${typeof address}`);
  }
  if (/^https:/i.test(address)) {
    throw new TypeError(`https is not supported yet; write the address as ${FORMS}`);
  }
  const bare = address.replace(/^http:\/\/([^/]+)\/?$/i, "$1");
  if (bare.startsWith("unix:") && bare.length > "unix:".length) return bare;
  const port = Number(HOST_PORT.exec(bare)?.[1]);
  if (port >= 1 && port <= 65_535) return bare;
  throw new TypeError(`an address must be ${FORMS}, not ${JSON.stringify(address)}`);
}

export interface ChannelOptions {
  /** -1: any. */
  readonly responseMaxBytes: number;
  /** 0: none. */
  readonly pingIntervalMs: number;
  /** What every call goes through. */
  readonly interceptors?: readonly Interceptor[];
}

/** Opens a channel; nothing is sent before it is used. */
export function openChannel(target: string, options: ChannelOptions): Client {
  const { responseMaxBytes, pingIntervalMs, interceptors = [] } = options;
  return new Client(target, credentials.createInsecure(), {
    "grpc.max_receive_message_length": responseMaxBytes,
    ...(pingIntervalMs === 0 ? {} : pings(pingIntervalMs)),
    interceptors: [...interceptors],
    "grpc.enable_channelz": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
    // A local server is back within moments; the default of 1 s and more is made for clusters.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
  });
}

/** A peer that vanished without a word is noticed by its silence. */
function pings(intervalMs: number): Record<string, number> {
  return { "grpc.keepalive_time_ms": intervalMs, "grpc.keepalive_timeout_ms": intervalMs };
}
