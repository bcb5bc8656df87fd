// Single calls as the bytes of a PipelineRequest (kv.proto): written by hand around requests that
// are encoded already, since a message of a thousand would else be encoded twice.

import type { Single, SingleKind } from "./single.js";

/** Field numbers of PipelineRequest, as tags: id is a varint, the others have a length. */
const ID_TAG = 0x08;
const OPERATIONS_TAG = 0x12;

/** The tags of BatchOperation's members. */
const KIND_TAGS: Readonly<Record<SingleKind, number>> = { get: 0x0a, put: 0x12, delete: 0x1a };

/** What an operation takes in a message besides its own bytes: two tags and two lengths. */
export const FRAMING_MAX_BYTES = 12;

/** The message; `id` is above 0 and below 2^31. */
export function pipelineMessage(id: number, singles: readonly Single[]): Buffer {
  let length = 1 + varintLength(id);
  for (const { bytes } of singles) {
    const inner = memberLength(bytes.length);
    length += 1 + varintLength(inner) + inner;
  }
  const message = Buffer.allocUnsafe(length);
  let at = 0;
  message[at++] = ID_TAG;
  at = writeVarint(message, at, id);
  for (const { kind, bytes } of singles) {
    message[at++] = OPERATIONS_TAG;
    at = writeVarint(message, at, memberLength(bytes.length));
    message[at++] = KIND_TAGS[kind];
    at = writeVarint(message, at, bytes.length);
    message.set(bytes, at);
    at += bytes.length;
  }
  return message;
}

function memberLength(bytes: number): number {
  return 1 + varintLength(bytes) + bytes;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length += 1;
  return length;
}

/** Gives the offset behind it. */
function writeVarint(target: Buffer, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
