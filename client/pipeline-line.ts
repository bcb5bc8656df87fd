// One stream of Pipeline and the messages on it that wait for their answers.
//
// Messages are numbered from 1 in the order in which they are sent, which is also the order in
// which the server begins them; answers may overtake. How much is under way is bounded, by messages
// and by bytes, so the transport never holds more of ours than that.
// What becomes of the calls when the stream ends is not decided here.

import { type ClientDuplexStream, Metadata, type StatusObject } from "@grpc/grpc-js";
import { KvServiceService, PipelineResponse } from "../gen/grpc/kvd/v1/kv.js";
import type { Calls } from "./calls.js";
import { cancelStream } from "./cancel.js";
import { decodeMessage } from "./codec.js";
import { pipelineMessage } from "./pipeline-message.js";
import type { Single } from "./single.js";

/** As many as the server takes of one stream at a time. */
const FLIGHTS_MAX = 16;

/** Beyond it, no other message is sent before an answer has come. */
const FLYING_MAX_BYTES = 1024 * 1024;

/**
 * How long a stream without calls stays open for the next one. Open, it keeps the process alive;
 * to open one anew costs about as much as a unary call.
 */
const LINGER_MS = 100;

/** A message that waits for its answer. */
export interface Flight {
  readonly number: number;
  readonly singles: readonly Single[];
  readonly bytes: number;
}

export interface LineEvents {
  onAnswer(flight: Flight, response: PipelineResponse): void;
  /** Once, when nothing comes any more; `flights` are those without an answer, in order. */
  onOver(line: PipelineLine, status: StatusObject, flights: readonly Flight[]): void;
}

export class PipelineLine {
  readonly #stream: ClientDuplexStream<Buffer, PipelineResponse>;
  readonly #flights = new Map<number, Flight>();
  readonly #events: LineEvents;
  #sent = 0;
  #flyingBytes = 0;
  #linger: NodeJS.Timeout | undefined;
  #state: "open" | "finished" | "over" = "open";

  constructor(calls: Pick<Calls, "channel" | "retry">, events: LineEvents) {
    this.#events = events;
    this.#stream = calls.channel.makeBidiStreamRequest<Buffer, PipelineResponse>(
      KvServiceService.pipeline.path,
      (bytes) => bytes,
      (bytes) => decodeMessage(PipelineResponse, bytes),
      new Metadata({ waitForReady: calls.retry }),
    );
    this.#stream.on("data", (response: PipelineResponse) => this.#land(response));
    // The status follows, and says the same.
    this.#stream.on("error", () => {});
    this.#stream.on("status", (status: StatusObject) => this.#end(status));
  }

  /** Takes messages still; one that does not is over soon, or is. */
  get open(): boolean {
    return this.#state === "open";
  }

  get full(): boolean {
    return this.#flights.size >= FLIGHTS_MAX || this.#flyingBytes >= FLYING_MAX_BYTES;
  }

  /** Only while it is open. */
  send(singles: readonly Single[]): void {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#sent += 1;
    const message = pipelineMessage(this.#sent, singles);
    this.#flights.set(this.#sent, { number: this.#sent, singles, bytes: message.length });
    this.#flyingBytes += message.length;
    this.#stream.write(message);
  }

  /** Gives up a stream on which nobody waits for anything any more. */
  dropIfForgotten(): void {
    if (this.#state !== "open" || this.#flights.size === 0) return;
    for (const { singles } of this.#flights.values()) {
      if (singles.some((single) => !single.over)) return;
    }
    this.drop();
  }

  /** Ends it on both sides. */
  drop(): void {
    clearTimeout(this.#linger);
    if (this.#state === "over") return;
    this.#state = "finished";
    cancelStream(this.#stream);
  }

  #land(response: PipelineResponse): void {
    const number = Number(response.id);
    const flight = this.#flights.get(number);
    if (flight === undefined) return;
    this.#flights.delete(number);
    this.#flyingBytes -= flight.bytes;
    this.#events.onAnswer(flight, response);
    if (this.#flights.size > 0 || this.#state !== "open") return;
    this.#linger ??= setTimeout(() => this.#finish(), LINGER_MS);
  }

  #finish(): void {
    this.#state = "finished";
    this.#stream.end();
  }

  #end(status: StatusObject): void {
    clearTimeout(this.#linger);
    this.#state = "over";
    const flights = [...this.#flights.values()];
    this.#flights.clear();
    this.#events.onOver(this, status, flights);
  }
}
