// One call and its answer, over a connection of a load: for what a case does beside its load, such
// as walking pages, so that the client costs next to nothing.

import type { H2Connection } from "./h2-connection.js";
import { framed, MessageSplitter } from "./message-splitter.js";

/** The answer's message. @throws Error when the call has failed. */
export function callUnary(
  connection: H2Connection,
  path: string,
  message: Uint8Array,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer | undefined;
    const splitter = new MessageSplitter((bytes) => {
      answer = Buffer.from(bytes);
    });
    const stream = connection.open(path, {
      onData: (bytes) => splitter.push(bytes),
      onEnd: () => {
        if (answer === undefined) reject(new Error(`${path} was not answered with a message`));
        else resolve(answer);
      },
    });
    connection.send(stream, framed(message), { end: true });
  });
}

/** Reads a stream of answers to its end; how many bytes came. */
export function drainStream(
  connection: H2Connection,
  path: string,
  message: Uint8Array,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let taken = 0;
    const stream = connection.open(path, {
      onData: (bytes) => {
        taken += bytes.length;
      },
      onEnd: (reset) => {
        if (reset || taken === 0) reject(new Error(`${path} has broken off`));
        else resolve(taken);
      },
    });
    connection.send(stream, framed(message), { end: true });
  });
}
