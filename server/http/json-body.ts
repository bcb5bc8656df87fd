// The body of a request: JSON objects, one after the other, that have a bounded time to arrive.
//
// The only object of a call must be there in full, with the end of the body, limits.requestMaxMs
// after its headers; each of a stream of them so long after its first byte. Time in which nothing
// is read, because answers wait for the peer, does not count.

import type { IncomingMessage } from "node:http";
import { KvdError } from "../kv/errors.js";
import type { DueList } from "../lib/due-list.js";
import { JsonValues } from "./json-values.js";

export interface JsonBodyOptions {
  readonly maxBytes: number;
  /** Those that are on their way; it calls late(). */
  readonly arriving: DueList<JsonBody>;
  readonly onLate: () => void;
}

export class JsonBody {
  readonly #request: IncomingMessage;
  readonly #options: JsonBodyOptions;
  readonly #values: JsonValues;

  constructor(request: IncomingMessage, options: JsonBodyOptions) {
    this.#request = request;
    this.#options = options;
    this.#values = new JsonValues(options);
    request.once("close", () => options.arriving.delete(this));
  }

  /** Its time is over. */
  late(): void {
    if (this.#request.isPaused()) this.#options.arriving.begin(this);
    else this.#options.onLate();
  }

  pause(): void {
    this.#values.pause();
  }

  resume(): void {
    this.#values.resume();
  }

  /**
   * The only object; that of an empty body is empty. Pending if it never comes.
   *
   * @throws KvdError.
   */
  one(): Promise<string> {
    this.#options.arriving.begin(this);
    return new Promise((resolve, reject) => {
      let text: string | undefined;
      this.each({
        onValue: (value) => {
          if (text === undefined) text = value;
          else reject(new KvdError("MALFORMED", "the body holds more than one JSON object"));
        },
        onEnd: (error) => {
          this.#options.arriving.delete(this);
          if (error === undefined) resolve(text ?? "{}");
          else reject(error);
        },
      });
    });
  }

  /** All of them as they come, then the end, or why there are no more. */
  each({
    onValue,
    onEnd,
  }: {
    readonly onValue: (text: string) => void;
    readonly onEnd: (error?: KvdError) => void;
  }): void {
    this.#values.on("data", onValue);
    this.#values.once("end", () => onEnd());
    this.#values.once("error", onEnd);
    this.#request.pipe(this.#values);
  }

  /** After each(): from here on each object has its own time. */
  timeEach(): void {
    const { arriving } = this.#options;
    // It listens after the pipe, so what has come is cut by then.
    this.#request.on("data", () => {
      if (!this.#values.partial) arriving.delete(this);
      else if (!arriving.has(this)) arriving.begin(this);
    });
  }
}
