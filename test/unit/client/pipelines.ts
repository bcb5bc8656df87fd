// The rpc Pipeline as a test scripts it: what each message asks for, and answers, failures and ends
// when the test wants them.

import type { ServerDuplexStream } from "@grpc/grpc-js";
import {
  BatchResult,
  type PipelineRequest,
  type PipelineResponse,
} from "../../../gen/grpc/kvd/v1/kv.js";
import type { refusal } from "./scripted.js";

type Stream = ServerDuplexStream<PipelineRequest, PipelineResponse>;

/** A message that has arrived. */
export class PipelineCall {
  /** Such as "put a" and "get a". */
  readonly words: readonly string[];
  readonly #request: PipelineRequest;
  readonly #stream: Stream;

  constructor(stream: Stream, request: PipelineRequest) {
    this.#stream = stream;
    this.#request = request;
    this.words = request.operations.map(({ operation }) => {
      const { value } = operation ?? {};
      const form = value !== undefined && "keyForm" in value ? value.keyForm : value?.selector;
      return `${operation?.$case} ${String(form?.value)}`;
    });
  }

  /** Every operation has worked; gets are answered with the value, if one is given. */
  answer(value?: string): void {
    const results = this.#request.operations.map(({ operation }) => {
      const kind = operation?.$case ?? "get";
      if (kind !== "get" || value === undefined) {
        return BatchResult.fromPartial({ result: { $case: kind, value: { revision: 2n } } });
      }
      const kv = { keyForm: { $case: "key" as const, value: "a" }, value: Buffer.from(value) };
      return BatchResult.fromPartial({ result: { $case: "get", value: { revision: 2n, kv } } });
    });
    this.#stream.write({ id: this.#request.id, revision: 2n, results });
  }

  /** The bytes that puts carry. */
  get bytes(): readonly (readonly number[])[] {
    return this.#request.operations.map(({ operation }) =>
      operation?.$case === "put" ? [...operation.value.value] : [],
    );
  }

  /** A result is missing for each operation. */
  answerNothing(): void {
    this.#stream.write({ id: this.#request.id, revision: 2n, results: [] });
  }

  /** Ends the whole stream. */
  endStream(error: ReturnType<typeof refusal>): void {
    this.#stream.emit("error", error);
  }
}

export interface Pipelines {
  readonly rpc: (stream: Stream) => void;
  /** All messages, and how many streams they came on. */
  readonly messages: readonly PipelineCall[];
  readonly streams: () => number;
  /** Streams that the client has ended or given up. */
  readonly ended: () => number;
  /** The message of this place, as soon as it has come. */
  message(index: number): Promise<PipelineCall>;
  /** Settles when so many streams have ended. */
  untilEnded(count: number): Promise<void>;
}

/** Answers nothing by itself, unless a script is given. */
export function pipelines(script: (call: PipelineCall) => void = () => {}): Pipelines {
  const messages: PipelineCall[] = [];
  const watchers = new Set<() => void>();
  const tell = () => {
    for (const watcher of watchers) watcher();
  };
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  let streams = 0;
  let ended = 0;
  return {
    messages,
    streams: () => streams,
    ended: () => ended,
    rpc(stream) {
      streams += 1;
      stream.on("error", () => {});
      stream.on("data", (request: PipelineRequest) => {
        const call = new PipelineCall(stream, request);
        messages.push(call);
        script(call);
        tell();
      });
      let open = true;
      const end = () => {
        if (!open) return;
        open = false;
        ended += 1;
        tell();
      };
      stream.on("end", () => {
        stream.end();
        end();
      });
      stream.on("cancelled", end);
    },
    async message(index) {
      await until(() => messages.length > index);
      return messages[index] as PipelineCall;
    },
    untilEnded: (count) => until(() => ended >= count),
  };
}
