// A stream as grpc-js gives it to the client, fed by hand: messages, then a status. It keeps
// grpc-js's order at the end: no more data, an error, the status.

import { Readable } from "node:stream";
import type { ClientReadableStream, StatusObject } from "@grpc/grpc-js";
import type { Sized } from "../../../client/stream.js";

export interface FakeStream<T> {
  readonly stream: ClientReadableStream<Sized<T>>;
  /** How often the stream was canceled. */
  canceled(): number;
  /** False once the consumer has enough. */
  send(message: T, bytes?: number): boolean;
  end(status: StatusObject): void;
}

export function fakeStream<T>(): FakeStream<T> {
  let cancels = 0;
  const readable = new Readable({ objectMode: true, read() {} });
  const cancel = () => {
    cancels += 1;
  };
  const stream = Object.assign(readable, { cancel }) as unknown as ClientReadableStream<Sized<T>>;
  return {
    stream,
    canceled: () => cancels,
    send: (message, bytes = 1) => readable.push({ message, bytes }) && !readable.isPaused(),
    end(status) {
      readable.push(null);
      if (status.code !== 0) readable.emit("error", new Error(status.details));
      readable.emit("status", status);
    },
  };
}
