// Page tokens: everything that the next page of a listing needs, so that the server keeps nothing.
//
// A token is opaque to clients, and checked: a digest over all of it refuses foreign and changed
// bytes, and with a hash of the request, without what may change between pages, it belongs to one
// listing. It is no secret: whoever makes one up reads nothing that a request could not read.

import { createHash } from "node:crypto";
import { KvdError } from "../kv/errors.js";
import type { Revision } from "../kv/types.js";

export interface PageToken {
  readonly storeId: string;
  readonly revision: Revision;
  /** Where the engine goes on. */
  readonly resume: Uint8Array;
}

const VERSION = 1;
const DIGEST_BYTES = 16;
const HEADER_BYTES = 1 + DIGEST_BYTES + 8 + 1;

/** What a token takes besides the store's id and the bound. */
export const TOKEN_OVERHEAD_BYTES = HEADER_BYTES;

/** `request` is the encoded request without its limit, revision and token. */
export function encodePageToken(token: PageToken, request: Uint8Array): Uint8Array {
  const storeId = Buffer.from(token.storeId, "utf8");
  const bytes = Buffer.alloc(HEADER_BYTES + storeId.length + token.resume.length);
  bytes[0] = VERSION;
  bytes.writeBigUInt64BE(BigInt(token.revision), 1 + DIGEST_BYTES);
  bytes[HEADER_BYTES - 1] = storeId.length;
  bytes.set(storeId, HEADER_BYTES);
  bytes.set(token.resume, HEADER_BYTES + storeId.length);
  bytes.set(digestOf(bytes, request), 1);
  return bytes;
}

/** @throws KvdError PAGE_TOKEN_INVALID; STORE_CHANGED for a token of another store. */
export function decodePageToken(
  bytes: Uint8Array,
  request: Uint8Array,
  expected: { readonly storeId: string; readonly maxBytes: number },
): PageToken {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEADER_BYTES || view.length > expected.maxBytes || view[0] !== VERSION) {
    throw invalid();
  }
  const idEnd = HEADER_BYTES + (view[HEADER_BYTES - 1] as number);
  if (idEnd > view.length) throw invalid();
  if (!digestOf(view, request).equals(view.subarray(1, 1 + DIGEST_BYTES))) throw invalid();
  const storeId = view.toString("utf8", HEADER_BYTES, idEnd);
  if (storeId !== expected.storeId) {
    const text = `the page token is of another store, this is store ${expected.storeId}`;
    throw new KvdError("STORE_CHANGED", text, { storeId: expected.storeId });
  }
  const revision = Number(view.readBigUInt64BE(1 + DIGEST_BYTES));
  return { storeId, revision, resume: view.subarray(idEnd) };
}

function digestOf(token: Uint8Array, request: Uint8Array): Buffer {
  return createHash("sha256")
    .update(token.subarray(0, 1))
    .update(token.subarray(1 + DIGEST_BYTES))
    .update(request)
    .digest()
    .subarray(0, DIGEST_BYTES);
}

function invalid(): KvdError {
  return new KvdError("PAGE_TOKEN_INVALID", "the page token is not one of this listing");
}
