// Renewals of leases over one stream: requests go out as they are made, answers come in the same
// order, one for each.
//
// The stream is opened by the first renewal and ended when none has been waiting for a moment, so
// that it keeps no process alive. A renewal that gave up (deadline, abort) keeps its place until
// its answer has passed; when all of them gave up, the stream is given up with them.

import { type ClientDuplexStream, Metadata, type StatusObject } from "@grpc/grpc-js";
import {
  KeepAliveRequest,
  KeepAliveResponse,
  LeaseServiceService,
} from "../gen/grpc/kvd/v1/lease.js";
import { onAbort } from "./abort.js";
import { type CallSite, callSite, thrownAt } from "./call-site.js";
import { abortedError, type Calls, method } from "./calls.js";
import { cancelStream } from "./cancel.js";
import { errorFromStatus } from "./errors.js";
import { closedError } from "./gate.js";
import type { CallOptions } from "./types.js";

const KEEP_ALIVE = method(LeaseServiceService.keepAlive.path, KeepAliveRequest, KeepAliveResponse);

/** How long an idle stream stays open for the next renewal. */
const LINGER_MS = 1_000;

/** A stream and the renewals whose answers it owes, oldest first. */
interface Line {
  readonly stream: ClientDuplexStream<KeepAliveRequest, KeepAliveResponse>;
  readonly owed: Renewal[];
  /** How many of them somebody still waits for. */
  waiting: number;
  linger: NodeJS.Timeout | undefined;
}

export class Renewals {
  readonly #calls: Calls;
  readonly #what: string;
  /** The one for new renewals. */
  #line: Line | undefined;
  /** All whose streams are not over, those that the server has yet to end included. */
  readonly #lines = new Set<Line>();

  constructor(calls: Calls) {
    this.#calls = calls;
    this.#what = calls.describe(KEEP_ALIVE.name);
  }

  /** @throws KvdClientError, as a rejection. */
  renew(id: bigint, options: CallOptions): Promise<KeepAliveResponse> {
    const site = callSite(this.renew);
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const timeoutMs = this.#calls.timeoutMs(options);
      if (signal?.aborted) throw thrownAt(abortedError(this.#what, signal), site);
      this.#calls.enter(site);
      const line = this.#openLine();
      const renewal = new Renewal(resolve, reject, site, () => {
        clearTimeout(timer);
        for (const forget of listeners) forget();
        line.waiting -= 1;
        this.#calls.gate.leave();
      });
      const giveUp = (error: Error) => {
        renewal.fail(error);
        if (line.waiting === 0) this.#drop(line);
      };
      const timer =
        timeoutMs === 0
          ? undefined
          : setTimeout(() => giveUp(this.#calls.late(this.#what)), timeoutMs);
      const listeners = [
        onAbort(signal, () => giveUp(abortedError(this.#what, signal))),
        onAbort(this.#calls.unreachable, () => giveUp(closedError())),
      ];
      line.waiting += 1;
      line.owed.push(renewal);
      line.stream.write({ id });
    });
  }

  /**
   * For when nobody waits any more: gives the stream up, whether or not the server would end it.
   */
  close(): void {
    for (const line of this.#lines) this.#drop(line);
  }

  #openLine(): Line {
    if (this.#line !== undefined) {
      clearTimeout(this.#line.linger);
      return this.#line;
    }
    const { path, serialize, deserialize } = KEEP_ALIVE;
    const stream = this.#calls.channel.makeBidiStreamRequest(
      path,
      serialize,
      deserialize,
      new Metadata({ waitForReady: this.#calls.retry }),
    );
    const line: Line = { stream, owed: [], waiting: 0, linger: undefined };
    stream.on("data", (response: KeepAliveResponse) => {
      line.owed.shift()?.answer(response);
      if (line.owed.length === 0) this.#linger(line);
    });
    // The status follows, and says the same.
    stream.on("error", () => {});
    stream.on("status", (status: StatusObject) => {
      this.#forget(line);
      this.#lines.delete(line);
      for (const renewal of line.owed.splice(0)) renewal.fail(errorFromStatus(status, this.#what));
    });
    this.#line = line;
    this.#lines.add(line);
    return line;
  }

  #linger(line: Line): void {
    line.linger = setTimeout(() => this.#finish(line), LINGER_MS);
  }

  #finish(line: Line): void {
    this.#forget(line);
    line.stream.end();
  }

  #drop(line: Line): void {
    this.#forget(line);
    cancelStream(line.stream);
  }

  #forget(line: Line): void {
    clearTimeout(line.linger);
    if (this.#line === line) this.#line = undefined;
  }
}

/** A renewal that waits for its answer; it is settled once. */
class Renewal {
  readonly #resolve: (response: KeepAliveResponse) => void;
  readonly #reject: (error: Error) => void;
  readonly #site: CallSite;
  #settled: (() => void) | undefined;

  constructor(
    resolve: (response: KeepAliveResponse) => void,
    reject: (error: Error) => void,
    site: CallSite,
    onSettled: () => void,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#site = site;
    this.#settled = onSettled;
  }

  answer(response: KeepAliveResponse): void {
    if (this.#settle()) this.#resolve(response);
  }

  fail(error: Error): void {
    if (this.#settle()) this.#reject(thrownAt(error, this.#site));
  }

  #settle(): boolean {
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.();
    return settled !== undefined;
  }
}
