// connect(), and the connection that it returns.
//
// It puts the parts together (calls, watches, leases, maintenance) and ends them in order: watches
// and snapshots at once, calls in flight after their answers, channels last. What the parts do is
// theirs to know.

import type { Client, Interceptor } from "@grpc/grpc-js";
import { WatchRequest } from "../gen/grpc/kvd/v1/watch.js";
import { Batching } from "./batching.js";
import { Calls, timeoutMsOf, unreachableError } from "./calls.js";
import { openChannel, targetFromAddress } from "./channel.js";
import { decodeMessage, encodeMessage } from "./codec.js";
import type { ConnectOptions, Kvd } from "./connection.js";
import { type DryRequest, endingBefore } from "./dry-run.js";
import { msFromDuration } from "./duration.js";
import { KvdClientError } from "./errors.js";
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
import { WatchFeed } from "./watch-feed.js";
import { listedPages } from "./watch-list.js";
import { QueueBudget } from "./watch-queue.js";
import { WatchStreams } from "./watch-streams.js";
import type { Watch, WatchOptions } from "./watch-types.js";

const DEFAULT_TIMEOUT = "10s";

/** The server's own limit of an answer is 4 MiB; it should be the one that is hit. */
const DEFAULT_RESPONSE_MAX_BYTES = 5 * 1024 * 1024;

/** Where less is accepted, one call's answer could keep others from having theirs. */
const BATCHING_RESPONSE_MIN_BYTES = 4 * 1024 * 1024;

const DEFAULT_PING_INTERVAL = "20s";
const PING_INTERVAL_MIN_MS = 10;
/** A timer cannot be set for longer: 2^31 - 1 ms. */
const PING_INTERVAL_MAX_MS = 0x7fff_ffff;

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
 * @throws TypeError for an address, a duration or a size that is none.
 */
export function connect(address: string, options: ConnectOptions = {}): Kvd {
  return new KvdConnection(address, options);
}

/**
 * A connection that sends nothing and needs no server: each call is checked as ever, its request is
 * told, and it rejects with CANCELLED. For showing what a program would ask for.
 *
 * ```ts
 * await using kv = connectDry("127.0.0.1:7856", ({ method }) => methods.push(method));
 * await kv.put("kenya:capital", "Nairobi").catch(() => {});
 * ```
 *
 * @throws TypeError for an address that is none.
 */
export function connectDry(address: string, onRequest: (request: DryRequest) => void): Kvd {
  return new KvdConnection(address, DRY_OPTIONS, endingBefore(onRequest));
}

/** Single calls as the messages that they are; what fails has failed. */
const DRY_OPTIONS: ConnectOptions = { batching: false, retry: false };

class KvdConnection extends KvCalls implements Kvd {
  readonly lease: Leases;
  readonly maintenance: Maintenance;
  readonly #calls: Calls;
  readonly #responseMaxBytes: number;
  readonly #dry: boolean;
  readonly #leases: LeaseCalls;
  readonly #maintenance: MaintenanceCalls;
  readonly #batching: Batching | undefined;
  readonly #channel: Client;
  readonly #watchStreams: WatchStreams;
  readonly #watchBudget = new QueueBudget();
  readonly #watches = new Map<WatchFeed, Watch>();
  #closed: Promise<void> | undefined;

  /** @param ending keeps all calls from being sent. */
  constructor(address: string, options: ConnectOptions, ending?: Interceptor) {
    const target = targetFromAddress(address);
    const timeoutMs = timeoutMsOf(options.timeout ?? DEFAULT_TIMEOUT);
    const responseMaxBytes = options.responseMaxBytes ?? DEFAULT_RESPONSE_MAX_BYTES;
    if (!Number.isSafeInteger(responseMaxBytes) || responseMaxBytes <= 0) {
      throw new TypeError(`responseMaxBytes must be a whole number above 0`);
    }
    const pingIntervalMs = pingIntervalOf(options);
    const interceptors = ending === undefined ? [] : [ending];
    const channel = openChannel(target, { responseMaxBytes, pingIntervalMs, interceptors });
    const calls = new Calls(channel, { address: target, timeoutMs, retry: options.retry ?? true });
    const batches = (options.batching ?? true) && responseMaxBytes >= BATCHING_RESPONSE_MIN_BYTES;
    const batching = batches ? new Batching(calls) : undefined;
    super(calls, batching);
    this.#calls = calls;
    this.#batching = batching;
    this.#responseMaxBytes = responseMaxBytes;
    this.#channel = channel;
    // A message that is too large for its watch must not end the stream, which others share.
    this.#watchStreams = new WatchStreams(() =>
      openChannel(target, { responseMaxBytes: -1, pingIntervalMs, interceptors }),
    );
    this.#dry = ending !== undefined;
    this.lease = this.#leases = new LeaseCalls(calls);
    this.maintenance = this.#maintenance = new MaintenanceCalls(calls);
  }

  watch(selector: SelectorLike, options: WatchOptions = {}): Watch {
    if (this.#calls.gate.closed) throw closedError();
    // Its own copy: it is sent again whenever the watch goes on.
    const encoded = encodeMessage(WatchRequest, watchRequest(selector, options));
    const request = decodeMessage(WatchRequest, Uint8Array.from(encoded));
    const { resume = this.#calls.retry, relist = false, includeCurrent = false } = options;
    // Otherwise they are listed by the client.
    if (this.#dry) request.includeCurrent = includeCurrent;
    const what = this.#calls.describe("Watch");
    const feed = new WatchFeed({
      ...{ request, includeCurrent, resume, relist, what },
      messageMaxBytes: this.#responseMaxBytes,
      openingMs: this.#calls.timeoutMs({}),
      budget: this.#watchBudget,
      late: () => this.#lateWatch(what, { resume }),
      onBreak: options.onBreak,
      acquire: () => this.#watchStreams.acquire(resume ? "patient" : "hasty"),
      onOver: () => this.#watches.delete(feed),
    });
    const list = (revision: number, signal: AbortSignal) =>
      listedPages(this.#calls, {
        ...{ selector: request.selector, revision, signal, patient: resume },
        storeId: feed.storeId ?? "",
      });
    const watch = new OpenWatch({ feed, list, what }, options);
    if (!feed.over) this.#watches.set(feed, watch);
    return watch;
  }

  async ready(options: CallOptions = {}): Promise<void> {
    const { closing } = this.#calls;
    const signal =
      options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    await untilAnswered({
      ask: (timeout) => this.#maintenance.status({ timeout, signal, waitForReady: true }),
      connected: () => this.#calls.connected,
      address: this.#calls.address,
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

  /** Without resume, no connection is an error at once: what is late then does not answer. */
  #lateWatch(what: string, { resume }: { readonly resume: boolean }): KvdClientError {
    if (resume && !this.#watchStreams.connected)
      return unreachableError(this.#calls.address, undefined);
    return new KvdClientError("DEADLINE_EXCEEDED", `${what}: it was not opened in time`);
  }

  async #close(): Promise<void> {
    for (const watch of this.#watches.values()) watch.close();
    this.#watchStreams.close();
    this.#maintenance.close();
    await this.#calls.close();
    this.#batching?.close();
    this.#leases.close();
    this.#channel.close();
  }
}

/** @throws TypeError */
function pingIntervalOf({ pingInterval = DEFAULT_PING_INTERVAL }: ConnectOptions): number {
  const ms = msFromDuration(pingInterval, "pingInterval");
  if (ms === 0 || ms >= PING_INTERVAL_MIN_MS) return Math.min(ms, PING_INTERVAL_MAX_MS);
  throw new TypeError(`pingInterval must be 0, or at least ${PING_INTERVAL_MIN_MS} ms, not ${ms}`);
}
