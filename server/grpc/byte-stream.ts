// Bytes that have no known end, cut into messages.

import type { PacedMessage } from "./paced-stream.js";

export interface ByteSource<Response> {
  /** The next bytes, as many as it likes; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** The message that carries a piece of them; `left` of the same bytes come after it. */
  message(piece: Uint8Array, left: number): Response;
  /** Once, whether all was taken or not. */
  close(): void;
}

/** What a message holds at most; far below what clients receive by default. */
const MESSAGE_BYTES = 1024 * 1024;

/** Closes the source at its end, or when no more is taken. */
export async function* piecesOf<Response>(
  open: () => Promise<ByteSource<Response>>,
): AsyncGenerator<PacedMessage<Response>> {
  const source = await open();
  try {
    for (let bytes = await source.next(); bytes !== undefined; bytes = await source.next()) {
      for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
        const piece = bytes.subarray(at, at + MESSAGE_BYTES);
        const message = source.message(piece, bytes.length - at - piece.length);
        yield { message, bytes: piece.length };
      }
    }
  } finally {
    source.close();
  }
}
