// Between generated messages and the buffers that the transport takes and gives.
//
// Texts that are not UTF-8 are refused, never repaired. Decoded bytes are plain Uint8Arrays (not
// Buffers) that view the received frame.

import { BinaryReader, type BinaryWriter } from "@bufbuild/protobuf/wire";

/** What the generated code offers for a message. */
export interface Codec<T> {
  encode(message: T): BinaryWriter;
  decode(input: BinaryReader | Uint8Array): T;
}

const fatalUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const decodeText = (bytes: Uint8Array): string => fatalUtf8.decode(bytes);

/** @throws Error when the bytes are not such a message. */
export function decodeMessage<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return codec.decode(new BinaryReader(plain, decodeText));
}

/** The encoded message, not copied once more. */
export function encodeMessage<T>(codec: Codec<T>, message: T): Buffer {
  const bytes = codec.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
