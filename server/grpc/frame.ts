// Frames of gRPC: a byte that says that nothing is compressed, the length of the message in four
// bytes, the message. They are made of parts, so that parts can be shared.

import type { Codec } from "./codec.js";

const PREFIX_BYTES = 5;

/** The frame of a message that lies in parts. */
export function frameOfParts(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + length);
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
  let offset = PREFIX_BYTES;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}

export function frameOfMessage<T>(codec: Pick<Codec<T>, "encode">, message: T): Uint8Array {
  return frameOfParts([codec.encode(message).finish()]);
}

/** What comes before a message. */
export function prefixOf(message: Uint8Array): Uint8Array {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix[0] = 0;
  prefix.writeUInt32BE(message.length, 1);
  return prefix;
}

/** What is in a frame. */
export function messageInFrame(frame: Uint8Array): Uint8Array {
  return frame.subarray(PREFIX_BYTES);
}

/** The beginning of a field that is bytes or a message: its tag and its length. */
export function fieldHead(number: number, length: number): Uint8Array {
  return Uint8Array.from(pushVarint([(number << 3) | 2], length));
}

/** A field of an int64; nothing for 0. */
export function int64Field(number: number, value: bigint): Uint8Array {
  if (value === 0n) return NO_BYTES;
  const tag = [number << 3];
  if (value > 0n && value <= SMALL_MAX) return Uint8Array.from(pushVarint(tag, Number(value)));
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) tag.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...tag, Number(rest)]);
}

const NO_BYTES = new Uint8Array(0);
const SMALL_MAX = 0x7fffffffn;

/** Up to 2^31 - 1. */
function pushVarint(bytes: number[], value: number): number[] {
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
