// Calls whose messages are bytes: whatever a test wants to send goes out as it is.

import { type Client, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { ErrorInfo, Status } from "../../gen/grpc/kvd/v1/error.js";
import type { FailedCall } from "./remote-error.js";

export interface RawOutcome {
  readonly code: status;
  /** Of the ErrorInfo; undefined where there is none. */
  readonly reason: string | undefined;
  readonly message: string;
  readonly answers: readonly Uint8Array[];
}

const identity = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function outcomeOfFailure(failed: FailedCall, answers: readonly Uint8Array[]): RawOutcome {
  const [binary] = failed.metadata.get("grpc-status-details-bin");
  const detail = binary instanceof Uint8Array ? Status.decode(binary).details[0]?.value : undefined;
  const reason = detail === undefined ? undefined : ErrorInfo.decode(detail).reason;
  return { code: failed.code, reason, message: failed.details, answers };
}

/** `path` is that of a method with one request and one answer. */
export function rawUnary(client: Client, path: string, bytes: Uint8Array): Promise<RawOutcome> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, identity, identity, bytes, (error, answer) => {
      if (error !== null) resolve(outcomeOfFailure(error, []));
      else
        resolve({
          code: status.OK,
          reason: undefined,
          message: "",
          answers: answer ? [answer] : [],
        });
    });
  });
}

export interface RawStream {
  readonly cancel: () => void;
  readonly outcome: Promise<RawOutcome>;
  readonly answers: readonly Uint8Array[];
  /** Settles with the first answer. */
  readonly first: Promise<Uint8Array>;
}

/** One request, many answers. */
export function rawServerStream(client: Client, path: string, bytes: Uint8Array): RawStream {
  return logged(client.makeServerStreamRequest(path, identity, identity, bytes));
}

/** Many requests, many answers; half-closed after the last one unless it is to stay open. */
export function rawBidiStream(
  client: Client,
  path: string,
  frames: readonly Uint8Array[],
  options: { readonly stayOpen?: boolean } = {},
): RawStream {
  const call = client.makeBidiStreamRequest(path, identity, identity);
  for (const frame of frames) call.write(frame);
  if (options.stayOpen !== true) call.end();
  return logged(call);
}

interface ReadingCall {
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "error", listener: (error: ServiceError) => void): unknown;
  on(event: "status", listener: (status: StatusObject) => void): unknown;
  cancel(): void;
}

function logged(call: ReadingCall): RawStream {
  const answers: Uint8Array[] = [];
  let took: (bytes: Uint8Array) => void = () => {};
  const first = new Promise<Uint8Array>((resolve) => {
    took = resolve;
  });
  call.on("data", (bytes) => {
    answers.push(bytes);
    took(bytes);
  });
  call.on("error", () => {});
  const outcome = new Promise<RawOutcome>((resolve) => {
    call.on("status", (ended) => resolve(outcomeOfFailure(ended, answers)));
  });
  return { cancel: () => call.cancel(), outcome, answers, first };
}
