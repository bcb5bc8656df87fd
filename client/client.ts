// connect(), and the connection that it returns.
//
// It puts the parts together (calls, watches, leases, maintenance) and ends them in order: watches
// at once, calls in flight after their answers, channels last. What the parts do is theirs to know.

import { type Client, connectivityState, Metadata } from "@grpc/grpc-js";
import { KvServiceService } from "../gen/grpc/kvd/v1/kv.js";
import { WatchRequest, WatchResponse } from "../gen/grpc/kvd/v1/watch.js";
import { Calls, method, timeoutMsOf } from "./calls.js";
import { openChannel, targetFromAddress } from "./channel.js";
import type { ConnectOptions, Kvd } from "./connection.js";
import { closedError } from "./gate.js";
import { KvCalls } from "./kv.js";
import { LeaseCalls } from "./lease.js";
import type { Leases } from "./lease-types.js";
import { MaintenanceCalls } from "./maintenance.js";
import type { Maintenance } from "./maintenance-types.js";
import { untilAnswered } from "./ready.js";
import { watchRequest } from "./requests.js";
import type { CallOptions, SelectorLike } from "./types.js";
import { OpenWatch } from "./watch.js";
import { WatchChannels } from "./watch-channels.js";
import type { Watch, WatchOptions } from "./watch-types.js";

const DEFAULT_TIMEOUT = "10s";

/** The server's own limit of an answer is 4 MiB; it should be the one that is hit. */
const DEFAULT_RESPONSE_MAX_BYTES = 5 * 1024 * 1024;

const WATCH = method(KvServiceService.watch.path, WatchRequest, WatchResponse);

/**
 * A connection to the kvd server at an address: "127.0.0.1:7856", "localhost:7856", "[::1]:7856",
 * "unix:/run/kvd.sock". Nothing is sent yet, so this cannot fail for want of a server; `ready()`
 * waits for one.
 *
 * ```ts
 * await using kv = connect("127.0.0.1:7856");
 * await kv.put("kenya:capital", "Nairobi", { ttl: "30s" });
 * const entry = await kv.get("kenya:capital");
 * entry?.text();
 * ```
 *
 * @throws TypeError for an address, a timeout or a size that is none.
 */
export function connect(address: string, options: ConnectOptions = {}): Kvd {
  return new KvdConnection(address, options);
}

class KvdConnection extends KvCalls implements Kvd {
  readonly lease: Leases;
  readonly maintenance: Maintenance;
  readonly #address: string;
  readonly #calls: Calls;
  readonly #leases: LeaseCalls;
  readonly #maintenance: MaintenanceCalls;
  readonly #channel: Client;
  readonly #watchChannels: WatchChannels;
  readonly #watches = new Set<Watch>();
  /** Aborted by close(), for what waits for a server that may never come. */
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(address: string, options: ConnectOptions) {
    const target = targetFromAddress(address);
    const timeoutMs = timeoutMsOf(options.timeout ?? DEFAULT_TIMEOUT);
    const responseMaxBytes = options.responseMaxBytes ?? DEFAULT_RESPONSE_MAX_BYTES;
    if (!Number.isSafeInteger(responseMaxBytes) || responseMaxBytes <= 0) {
      throw new TypeError(`responseMaxBytes must be a whole number above 0`);
    }
    const channel = openChannel(target, { responseMaxBytes });
    const calls = new Calls(channel, { address: target, timeoutMs });
    super(calls);
    this.#address = target;
    this.#calls = calls;
    this.#channel = channel;
    this.#watchChannels = new WatchChannels(() => openChannel(target, { responseMaxBytes }));
    this.lease = this.#leases = new LeaseCalls(calls);
    this.maintenance = this.#maintenance = new MaintenanceCalls(calls);
  }

  watch(selector: SelectorLike, options: WatchOptions = {}): Watch {
    if (this.#calls.gate.closed) throw closedError();
    const request = watchRequest(selector, options);
    const watch = new OpenWatch(this.#calls.describe(WATCH.name), options);
    if (watch.closed) return watch;
    this.#watches.add(watch);
    const { path, serialize } = WATCH;
    const deserialize = (bytes: Buffer) => ({
      message: WATCH.deserialize(bytes),
      bytes: bytes.length,
    });
    const { client, release } = this.#watchChannels.acquire();
    const metadata = new Metadata();
    const stream = client.makeServerStreamRequest(path, serialize, deserialize, request, metadata);
    watch.start(stream, () => {
      this.#watches.delete(watch);
      release();
    });
    return watch;
  }

  async ready(options: CallOptions = {}): Promise<void> {
    const closing = this.#closing.signal;
    const signal =
      options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    await untilAnswered({
      ask: (timeout) => this.#maintenance.status({ timeout, signal, waitForReady: true }),
      connected: () =>
        this.#channel.getChannel().getConnectivityState(false) === connectivityState.READY,
      address: this.#address,
      timeoutMs: this.#calls.timeoutMs(options),
      signal,
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort(closedError());
    for (const watch of this.#watches) watch.close();
    this.#watchChannels.close();
    await this.#calls.gate.close();
    this.#leases.close();
    this.#channel.close();
  }
}
